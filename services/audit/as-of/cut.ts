import { readModelCategories } from '../../../contracts/events/index.ts';
import type { EventLog, Position } from '../../log/log.ts';
import { type Coverage, firstRecordedSince, type Queries } from '../index/search.ts';
import type { Moment } from '../moment.ts';

/** The last event of a moment. */
export interface Cut {
  readonly position: Position;
  /** Its number in the index; of an event that the index leaves out as a repeat, the number of the one before. */
  readonly number: number;
}

/** A log and its index. */
interface IndexedLog {
  readonly log: Pick<EventLog, 'at' | 'readAll' | 'recordedAscends'>;
  readonly queries: Queries;
}

/** How many events are read at once to find the first one that is not of a moment. */
const scannedEvents = 1_000;

/**
 * Finds the last event of a moment in the index.
 * @returns undefined if the index does not reach so far, or no event of the moment is found
 * @throws LogFailure, what the database throws
 */
export async function cutOf(
  indexed: IndexedLog,
  coverage: Coverage,
  moment: Moment,
): Promise<Cut | undefined> {
  const position = moment.position ?? (await lastPosition(indexed, coverage, moment));
  if (position === undefined || position > coverage.checkpoint) return undefined;
  return { position, number: (await first(indexed, 'audit.first_after($1)', position)) - 1 };
}

/** An event never happened after it was recorded, so that all that was recorded by then is of the moment. */
async function lastPosition(
  indexed: IndexedLog,
  { count }: Coverage,
  moment: Moment,
): Promise<Position | undefined> {
  const later = await first(indexed, firstRecordedSince(indexed.log)('$1'), moment.time + 1);
  const soon = await scan(indexed, later - 1, moment);
  if (soon !== undefined) return soon;
  // Most of what was recorded later had happened before, as in a history that was made up.
  let [low, high] = [Math.max(0, later - 1), count];
  while (high - low > scannedEvents / 2) {
    const middle = Math.floor((low + high) / 2);
    const position = await positionOf(indexed, middle);
    const record = position === undefined ? undefined : await indexed.log.at(position);
    if (record === undefined) return undefined;
    if (moment.includes(record)) low = middle;
    else high = middle;
  }
  return scan(indexed, low, moment);
}

/** The last event of the moment among those after the event of a number, which is of the moment. */
async function scan(indexed: IndexedLog, number: number, moment: Moment): Promise<Position | undefined> {
  let last = await positionOf(indexed, number);
  if (last === undefined) return undefined;
  let scanned = 0;
  const options = { after: last, prefixes: readModelCategories, limit: scannedEvents };
  for await (const record of indexed.log.readAll(options)) {
    if (!moment.includes(record)) return last;
    last = record.position;
    scanned++;
  }
  return scanned < scannedEvents ? last : undefined;
}

async function first({ queries }: IndexedLog, search: string, value: unknown): Promise<number> {
  const { rows } = await queries.query<{ number: string }>(`select ${search} as number`, [value]);
  return Number(rows[0]?.number);
}

async function positionOf({ queries }: IndexedLog, number: number): Promise<Position | undefined> {
  const { rows } = await queries.query<{ position: Position }>(
    'select position from audit.events where number = $1',
    [number],
  );
  return rows[0]?.position;
}
