import type { Client } from 'pg';
import type { Logger } from 'pino';
import { advance } from '../../followers/checkpoint.ts';
import { mapInTurns } from '../../followers/in-turns.ts';
import type { Held } from '../../followers/lease.ts';
import type { Handler } from '../../followers/task.ts';
import type { EventLog, Position, RecordedEvent } from '../../log/log.ts';
import { Skips } from '../../log/skips.ts';
import { pipeline, type Statement } from '../../postgres/pipeline.ts';
import { auditedType } from '../tree/audited-type.ts';
import { falseRepeatInWords } from '../tree/verified-words.ts';
import type { ConsumerSession } from './consumer.ts';
import { entryOf } from './entry.ts';
import { type FalseRepeat, falseRepeats, partRepeats } from './repeats.ts';
import { type IndexedRecord, insertEvents, insertPeople, insertTypes, type TypeInCategory } from './rows.ts';
import { deleteSkippedRepeats, insertRepeats } from './stored-repeats.ts';

export interface IndexingOptions {
  /** The connection that it commits over. */
  readonly client: Client;
  /** The follower's name. */
  readonly name: string;
  readonly held: Held;
  /** The number of the first event to come. */
  readonly next: number;
  /** How many events the index had when its tables were analyzed last. */
  readonly analyzed: number;
  readonly log: Pick<EventLog, 'readEvents' | 'readStream' | 'remembersIds'>;
  readonly logger: Logger;
  readonly consumers: readonly ConsumerSession[];
  /** How long to rest after a batch, in milliseconds, by how long the batch took. */
  readonly restMs: (tookMs: number) => Promise<number>;
}

/** Smaller tables are read quickly in any way. */
const analyzeFrom = 5_000;

/** The auditor at work: adds each batch of events to the index, and to what is made together with it. */
export class Indexing implements Handler {
  readonly #options: IndexingOptions;
  #next: number;
  #position: Position;
  #batch: number;
  /** The number up to which the tables were analyzed; between two times autovacuum does it. */
  #analyzed: number;
  /** The types that are in audit.types for certain. */
  readonly #types = new Set<string>();

  constructor(options: IndexingOptions) {
    this.#options = options;
    this.#next = options.next;
    this.#position = options.held.position;
    this.#batch = options.held.batch;
    this.#analyzed = options.analyzed;
  }

  async apply(
    records: readonly RecordedEvent[],
    committed: (checkpoint: Position, events: number) => void,
  ): Promise<void> {
    const last = records.at(-1);
    if (last === undefined) return;
    const { client, consumers, held, name } = this.#options;
    const { firsts, named } = await this.#partRepeats(records);
    const events = await mapInTurns(firsts, (record, index) => ({
      number: this.#next + index,
      record,
      entry: entryOf(record),
    }));
    const batch = this.#batch + 1;
    const statements: Statement[] = [
      advance({ name, fence: held.fence, from: this.#position, to: last.position, id: last.id, batch }),
    ];
    const types = this.#newTypes(events);
    if (types.size > 0) statements.push(insertTypes([...types.values()]));
    if (events.length > 0) statements.push(...insertEvents(events), ...insertPeople(events));
    statements.push(...this.#repeatStatements(records, named));
    for (const consumer of consumers) statements.push(...(await consumer.extend(events)));
    await pipeline(client, statements);
    for (const consumer of consumers) consumer.committed?.();
    for (const key of types.keys()) this.#types.add(key);
    this.#next += events.length;
    this.#position = last.position;
    this.#batch = batch;
    committed(last.position, records.length);
    if (this.#next >= analyzeFrom && this.#next >= 2 * this.#analyzed) await this.#analyze();
  }

  /** Without statistics Postgres reads and sorts everything of a type to give its first page. */
  async #analyze(): Promise<void> {
    await this.#options.client.query('analyze audit.events, audit.people');
    this.#analyzed = this.#next;
  }

  restMs(tookMs: number): Promise<number> {
    return this.#options.restMs(tookMs);
  }

  /** Without the events whose id their stream already has, here or in the index; and which of these are to be named. */
  async #partRepeats(
    records: readonly RecordedEvent[],
  ): Promise<{ readonly firsts: readonly RecordedEvent[]; readonly named: readonly FalseRepeat[] }> {
    const { log, logger } = this.#options;
    if (log.remembersIds === 'forever') return { firsts: records, named: [] };
    type Row = Pick<RecordedEvent, 'id' | 'stream'> & { readonly revision: string };
    const { rows } = await this.#options.client.query<Row>({
      name: 'audit known ids',
      text: 'select id, stream, revision from audit.events where id = any($1::uuid[])',
      values: [records.map(({ id }) => id)],
    });
    const known = rows.map(({ id, stream, revision }) => ({ id, stream, revision: Number(revision) }));
    const { firsts, repeats } = partRepeats(records, known);
    const named = await Array.fromAsync(falseRepeats(log, repeats));
    for (const found of named)
      logger.error({ reason: falseRepeatInWords(found) }, 'an event was appended under the id of another');
    return { firsts, named };
  }

  /** Keeps those that are to be named, until a decision to skip them comes. */
  #repeatStatements(records: readonly RecordedEvent[], named: readonly FalseRepeat[]): Statement[] {
    const { log } = this.#options;
    if (log.remembersIds === 'forever') return [];
    const skips = new Skips(log);
    const skipped = records.map((record) => skips.apply(record)).filter((key) => key !== undefined);
    return [
      ...(named.length > 0 ? [insertRepeats(named)] : []),
      ...(skipped.length > 0 ? [deleteSkippedRepeats(skipped)] : []),
    ];
  }

  /** Types that may not be in audit.types yet. */
  #newTypes(events: readonly IndexedRecord[]): Map<string, TypeInCategory> {
    const types = new Map<string, TypeInCategory>();
    for (const { record, entry } of events) {
      const { category } = entry;
      const type = auditedType(record.type);
      const key = `${category} ${type}`;
      if (!this.#types.has(key)) types.set(key, { category, type });
    }
    return types;
  }
}
