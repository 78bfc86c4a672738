import { categories } from '../../../contracts/events/index.ts';
import type { EventLog, RecordedEvent } from '../../log/log.ts';
import type { AuditSearch, Found } from '../index/search.ts';
import type { FoundEvent } from './find-events.ts';

/** If at least one event in this many is wanted, they are read in one go, else by where they lie. */
const sparse = 8;

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
  const records = dense ? inOneGo(options, ascending) : byPlaces(options.log, ascending);
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

async function* byPlaces(log: EventLog, page: readonly Found[]): AsyncGenerator<FoundEvent, void, undefined> {
  const records = log.readEvents(page)[Symbol.asyncIterator]();
  const isAt = ({ stream, revision }: RecordedEvent, found: Found) =>
    stream === found.stream && revision === found.revision;
  try {
    let next = await records.next();
    for (const found of page) {
      let record: RecordedEvent | undefined;
      if (!next.done && isAt(next.value, found)) {
        record = next.value;
        next = await records.next();
      }
      // A stream that was truncated does not give all that the log has of it.
      if (record?.position !== found.position) record = await log.at(found.position);
      if (record !== undefined) yield { number: found.number, record };
    }
  } finally {
    await records.return?.();
  }
}
