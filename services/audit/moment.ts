import type { Position, RecordedEvent } from '../log/log.ts';

/** A moment, as a question names it. */
export interface Moment {
  /** In milliseconds since 1970. */
  readonly time: number;
  /** Whether it lies before the present. */
  readonly past: boolean;
  /** Names the moment; two moments of one name include the same events of a log. */
  readonly name: string;
  /** Of the last event, if the moment was named by it. */
  readonly position?: Position;
  /**
   * Whether an event had happened by then. Read in the order of the log, the first one that had not ends what
   * is of the moment.
   */
  includes(record: Pick<RecordedEvent, 'position' | 'recorded' | 'metadata'>): boolean;
}

/** Records in the order of the log, as far as they are of a moment. */
export async function* recordsUntil(
  records: AsyncIterable<RecordedEvent>,
  moment: Moment,
): AsyncGenerator<RecordedEvent, void, undefined> {
  for await (const record of records) {
    if (!moment.includes(record)) return;
    yield record;
  }
}

/** The present: everything that the log holds. */
export function presentMoment(now: number): Moment {
  return { time: now, past: false, name: 'now', includes: () => true };
}

/** How long after the present an event can say that it happened, in milliseconds: clocks differ. */
const maxAheadMs = 24 * 3_600_000;

/** Whether no event can have happened then, so that clocks were far ahead when it was decided and stored. */
export function isImpossible(happened: number, now: number): boolean {
  return happened - now > maxAheadMs;
}

/**
 * The moment of a time. An event whose time is impossible counts as one that happened when the one before it did: it does not end
 * what is of the moment.
 * @param time in milliseconds since 1970
 * @param now the present, in milliseconds since 1970
 */
export function momentAt(time: number, now: number): Moment {
  const includes: Moment['includes'] = (record) => {
    const happened = happenedAt(record);
    return happened <= time || isImpossible(happened, now);
  };
  return { time, past: true, name: `time ${time}`, includes };
}

/** The moment after the event at a position. */
export function momentAfter(event: Pick<RecordedEvent, 'position' | 'recorded' | 'metadata'>): Moment {
  const { position } = event;
  const time = happenedAt(event);
  const name = `position ${position}`;
  return { time, past: true, name, position, includes: (record) => record.position <= position };
}

/**
 * When an event happened, in milliseconds since 1970: the earlier of what the process that decided says and of
 * what the log says. A log that was copied recorded its events later than they happened; a process whose clock
 * is fast says so of events that the log already has.
 */
export function happenedAt({ recorded, metadata }: Pick<RecordedEvent, 'recorded' | 'metadata'>): number {
  const { time } = metadata;
  return typeof time === 'number' ? Math.min(time, recorded) : recorded;
}
