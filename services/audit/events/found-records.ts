import { categories } from '../../../contracts/events/index.ts';
import type { EventLog, RecordedEvent } from '../../log/log.ts';
import type { AuditSearch, Found } from '../index/search.ts';
import type { FoundEvent } from './find-events.ts';

/** If at least one event in this many is wanted, they are read in one go, else one by one. */
const sparse = 8;

/** How many events are read at once one by one: as many as the log has connections for reading. */
const readsAtOnce = 4;

/** A page of what the index has found, and where its records are. */
interface FoundPage {
  readonly log: EventLog;
  readonly search: AuditSearch;
  readonly page: readonly Found[];
  /** Whether the page has the last event first. */
  readonly reverse: boolean;
}

/** The records of a page of the index, in its order. Events that the log lacks by now are left out. */
export async function* readFound(options: FoundPage): AsyncGenerator<FoundEvent, void, undefined> {
  const { page, reverse } = options;
  const ascending = reverse ? page.toReversed() : page;
  const [first] = ascending;
  const last = ascending.at(-1);
  if (first === undefined || last === undefined) return;
  const dense = last.number - first.number < sparse * page.length;
  const records = dense ? inOneGo(options, ascending) : oneByOne(options.log, ascending);
  if (!reverse) {
    yield* records;
    return;
  }
  yield* (await Array.fromAsync(records)).reverse();
}

async function* inOneGo(
  { log, search }: FoundPage,
  page: readonly Found[],
): AsyncGenerator<FoundEvent, void, undefined> {
  const [first] = page;
  const last = page.at(-1);
  if (first === undefined || last === undefined) return;
  const numbers = new Map(page.map(({ position, number }) => [position, number]));
  const after = await search.positionBefore(first.number);
  for await (const record of log.readAll({ after, prefixes: categories })) {
    const number = numbers.get(record.position);
    if (number !== undefined) yield { number, record };
    if (record.position >= last.position) return;
  }
}

async function* oneByOne(log: EventLog, page: readonly Found[]): AsyncGenerator<FoundEvent, void, undefined> {
  const reads: Promise<RecordedEvent | undefined>[] = [];
  const begin = (index: number) => {
    const found = page[index];
    if (found === undefined) return;
    const read = log.at(found.position);
    // It is awaited later; until then its failure must not count as unhandled.
    read.catch(() => undefined);
    reads[index] = read;
  };
  for (let index = 0; index < readsAtOnce; index++) begin(index);
  for (const [index, { number }] of page.entries()) {
    const record = await reads[index];
    delete reads[index];
    begin(index + readsAtOnce);
    if (record !== undefined) yield { number, record };
  }
}
