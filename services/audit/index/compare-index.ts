import type { Client } from 'pg';
import { categories } from '../../../contracts/events/index.ts';
import { decodeUncached } from '../../log/codec.ts';
import type { RecordedEvent } from '../../log/log.ts';
import type { ReadableLog } from '../readable-log.ts';
import { auditedType } from '../tree/audited-type.ts';
import { ExpectedRepeats, type RepeatDifference } from './compare-repeats.ts';
import { entryOf } from './entry.ts';
import { type ChangedFunction, changedFunctions } from './index-functions.ts';
import { type IndexedRecord, type IndexRow, indexRowOf } from './rows.ts';
import { SeenIds } from './seen-ids.ts';
import { StoredIndex, type StoredPerson, type StoredRow } from './stored-index.ts';

/** How many events are compared at once. */
const pageEvents = 2_000;

/** What of the index is not what the log gives. */
export type IndexDifference =
  /** A value of the row of an event; `undefined` for a row that is missing or too many. */
  | {
      readonly table: 'events';
      readonly number: number;
      readonly event: string | undefined;
      readonly column: string | undefined;
      readonly is: string | null | undefined;
      readonly expected: string | null | undefined;
    }
  /** A person whom an event is said to be about and is not, or is about and not said to be. */
  | {
      readonly table: 'people';
      readonly number: number;
      readonly event: string | undefined;
      readonly uid: string;
      readonly fault: 'missing' | 'too many';
    }
  /** A type that lies in a category, or is said to. */
  | {
      readonly table: 'types';
      readonly category: string;
      readonly type: string;
      readonly fault: 'missing' | 'too many';
    }
  | RepeatDifference
  /** A function by which the index is searched. */
  | ({ readonly table: 'functions' } & ChangedFunction);

export interface CompareIndexOptions {
  readonly log: ReadableLog;
  /** Over which the index is read, in one transaction. */
  readonly client: Client;
  /** Called with each difference, in the order of the log. */
  readonly onDifference: (difference: IndexDifference) => void;
  readonly onRead?: (events: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Compares each row of the index of the log with what the log gives, up to the index's end, and the functions by which it
 * is searched with those that the migrations made. Memory stays level, but for the
 * ids of a log that may hold one twice (`SeenIds`).
 * @returns how many events the index is of; undefined if there is none
 * @throws LogFailure; what `pg` throws; the signal's reason
 */
export function compareIndex(options: CompareIndexOptions): Promise<number | undefined> {
  return StoredIndex.read(options.client, (index) => new Comparison(options, index).run());
}

class Comparison {
  readonly #options: CompareIndexOptions;
  readonly #index: StoredIndex;
  /** In which category each type was found, as `category type`. */
  readonly #types = new Map<string, { readonly category: string; readonly type: string }>();
  readonly #seen = new SeenIds();
  readonly #repeats: ExpectedRepeats;
  #count = 0;

  constructor(options: CompareIndexOptions, index: StoredIndex) {
    this.#options = options;
    this.#index = index;
    this.#repeats = new ExpectedRepeats(options.log);
  }

  async run(): Promise<number> {
    let page: RecordedEvent[] = [];
    for await (const record of this.#options.log.readAll({ prefixes: categories })) {
      this.#options.signal?.throwIfAborted();
      if (record.position > this.#index.checkpoint) break;
      if (this.#isRepeat(record)) continue;
      page.push(record);
      if (page.length < pageEvents) continue;
      await this.#comparePage(page);
      page = [];
    }
    await this.#comparePage(page);
    await this.#compareSurplus();
    await this.#compareTypes();
    for (const found of await this.#repeats.compare(this.#options.client)) this.#options.onDifference(found);
    for (const changed of await changedFunctions(this.#options.client))
      this.#options.onDifference({ table: 'functions', ...changed });
    return this.#count;
  }

  /** Of the events that a stream has under one id, the first is in the index. */
  #isRepeat(record: RecordedEvent): boolean {
    if (this.#options.log.remembersIds === 'forever') return false;
    const first = this.#seen.add(record);
    if (first === undefined) return false;
    this.#repeats.add({ event: record, first });
    return true;
  }

  async #comparePage(page: readonly RecordedEvent[]): Promise<void> {
    const first = this.#count;
    const end = first + page.length;
    const stored = Map.groupBy(await this.#index.events(first, end), ({ number }) => Number(number));
    const people = Map.groupBy(await this.#index.people(end), ({ number }) => number);
    for (const person of [...people.values()].flat()) if (person.number < first) this.#ofNoEvent(person);
    for (const [offset, record] of page.entries()) {
      const number = first + offset;
      const entry = entryOf(record, decodeUncached(record));
      const { category } = entry;
      const type = auditedType(record.type);
      this.#types.set(`${category} ${type}`, { category, type });
      this.#compareEvent({ number, record, entry }, stored.get(number) ?? []);
      const uids = (people.get(number) ?? []).map(({ uid }) => uid);
      this.#comparePeople({ number, record, entry }, uids);
    }
    await this.#repeats.judge();
    this.#count = end;
    this.#options.onRead?.(page.length);
  }

  #compareEvent(indexed: IndexedRecord, [row, ...more]: readonly StoredRow[]): void {
    const { number } = indexed;
    const named = { table: 'events', number, event: nameOf(indexed.record) } as const;
    if (row === undefined) {
      this.#options.onDifference({ ...named, column: undefined, is: undefined, expected: undefined });
      return;
    }
    const wanted = indexRowOf(indexed);
    for (const [column, value] of Object.entries(wanted)) {
      const expected = value === null ? null : String(value);
      const stored = row[column as keyof IndexRow];
      const is = stored === null ? null : String(stored);
      if (is !== expected) this.#options.onDifference({ ...named, column, is, expected });
    }
    for (const surplus of more) this.#tooMany(surplus);
  }

  #tooMany({ number, stream, revision }: StoredRow): void {
    const event = `${stream}@${revision}`;
    const nothing = { column: undefined, expected: undefined };
    this.#options.onDifference({ table: 'events', number: Number(number), event, is: event, ...nothing });
  }

  #comparePeople({ number, record, entry }: IndexedRecord, uids: readonly string[]): void {
    const named = { table: 'people', number, event: nameOf(record) } as const;
    const wanted = new Set(entry.people.map(String));
    for (const uid of wanted)
      if (!uids.includes(uid)) this.#options.onDifference({ ...named, uid, fault: 'missing' });
    for (const uid of uids)
      if (!wanted.delete(uid)) this.#options.onDifference({ ...named, uid, fault: 'too many' });
  }

  /** Rows of numbers that no event has; people of numbers below 0 came with the first page. */
  async #compareSurplus(): Promise<void> {
    for await (const row of this.#index.surplus(this.#count)) this.#tooMany(row);
    for await (const person of this.#index.peopleLeft()) this.#ofNoEvent(person);
  }

  #ofNoEvent({ number, uid }: StoredPerson): void {
    this.#options.onDifference({ table: 'people', number, event: undefined, uid, fault: 'too many' });
  }

  async #compareTypes(): Promise<void> {
    const stored = await this.#index.types();
    const has = new Set(stored.map(({ category, type }) => `${category} ${type}`));
    for (const [key, { category, type }] of this.#types)
      if (!has.has(key)) this.#options.onDifference({ table: 'types', category, type, fault: 'missing' });
    for (const { category, type } of stored)
      if (!this.#types.has(`${category} ${type}`))
        this.#options.onDifference({ table: 'types', category, type, fault: 'too many' });
  }
}

function nameOf({ stream, revision }: Pick<RecordedEvent, 'stream' | 'revision'>): string {
  return `${stream}@${revision}`;
}
