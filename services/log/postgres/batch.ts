import { int4s, int8s, type Row, type Statement, texts, uuids } from '../../postgres/pipeline.ts';
import type { PreparedEvent } from '../append-request.ts';
import type { AppendResult, StreamName } from '../log.ts';
import { positionOf } from './position.ts';

/** Bounds of one transaction, so that an append does not wait long behind a backlog. */
const maxBatchEvents = 1_000;
const maxBatchBytes = 4_000_000;

/** An append that waits for its turn or for its result. */
export interface PendingAppend {
  readonly stream: StreamName;
  /** The expected revision: -2 for any, -1 for no stream yet. */
  readonly expected: number;
  readonly events: readonly PreparedEvent[];
  readonly bytes: number;
  /** When the caller gets a failure, on the clock of performance.now(). */
  readonly deadline: number;
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: Error) => void;
  /** Whether it was sent and its answer was lost. */
  doubtful: boolean;
  /** The server's error if it refused the append when it was sent last, for example for a lock. */
  refused: unknown;
  /** Whether it must be sent alone, because the server refused a batch that contained it. */
  alone: boolean;
}

/** `PendingAppend.expected` if the stream may be at any revision. */
export const anyRevision = -2;

/**
 * Chooses the appends for one transaction, in the order of arrival. An append that depends on the result of an
 * earlier one goes in a later batch: if it repeats an id, or if both are to one stream and not both expect any
 * revision. Later appends to its stream then wait as well.
 * @returns the batch and the rest, both in the order of arrival
 */
export function nextBatch(waiting: readonly PendingAppend[]): {
  batch: PendingAppend[];
  rest: PendingAppend[];
} {
  const batch: PendingAppend[] = [];
  const deferred: PendingAppend[] = [];
  const ids = new Set<string>();
  const expectations = new Map<StreamName, number>();
  const deferredStreams = new Set<StreamName>();
  let events = 0;
  let bytes = 0;
  for (const [index, append] of waiting.entries()) {
    const full = events + append.events.length > maxBatchEvents || bytes + append.bytes > maxBatchBytes;
    const alone = append.alone || batch[0]?.alone;
    if (batch.length > 0 && (full || alone)) {
      return { batch, rest: deferred.concat(waiting.slice(index)) };
    }
    const earlier = expectations.get(append.stream);
    const dependent =
      deferredStreams.has(append.stream) ||
      (earlier !== undefined && (earlier !== anyRevision || append.expected !== anyRevision)) ||
      append.events.some(({ id }) => ids.has(id));
    if (dependent) {
      deferredStreams.add(append.stream);
      deferred.push(append);
      continue;
    }
    batch.push(append);
    for (const { id } of append.events) ids.add(id);
    expectations.set(append.stream, append.expected);
    events += append.events.length;
    bytes += append.bytes;
  }
  return { batch, rest: deferred };
}

/**
 * The statement that appends a batch by `log.append`; migration 0001 documents its parameters and results.
 * @param hintOf a revision that the stream has probably reached
 */
export function appendStatement(
  batch: readonly PendingAppend[],
  hintOf: (stream: StreamName) => number,
): Statement {
  const numbers: number[] = [];
  const ranks: number[] = [];
  const events: PreparedEvent[] = [];
  for (const [index, append] of batch.entries()) {
    for (const [rank, event] of append.events.entries()) {
      numbers.push(index + 1);
      ranks.push(append.events.length - 1 - rank);
      events.push(event);
    }
  }
  return {
    name: 'log append',
    text: `select outcomes::text, revisions::text, positions::text, recorded
      from log.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    values: [
      texts(batch.map(({ stream }) => stream)),
      int8s(batch.map(({ stream }) => hintOf(stream))),
      int8s(batch.map(({ expected }) => expected)),
      int4s(batch.map((append) => append.events.length)),
      uuids(batch.map((append) => append.events[0]?.id ?? null)),
      int4s(numbers),
      int4s(ranks),
      uuids(events.map(({ id }) => id)),
      texts(events.map(({ type }) => type)),
      texts(events.map(({ data }) => data)),
      texts(events.map(({ metadata }) => metadata)),
    ],
  };
}

/** The result of one append of a committed batch. */
export interface Committed {
  readonly append: PendingAppend;
  readonly result: AppendResult;
  /** The number of the last event stored now, or of the first event if it was already appended; else 0. */
  readonly eventNumber: number;
  readonly recorded: number;
}

/** Reads the row that answers `appendStatement`. @throws Error if it does not fit the batch */
export function committedOf(batch: readonly PendingAppend[], row: Row | undefined): Committed[] {
  const outcomes = elementsOf(row?.outcomes);
  const revisions = elementsOf(row?.revisions);
  const eventNumbers = elementsOf(row?.positions);
  const recorded = Number(row?.recorded);
  return batch.map((append, index) => {
    const outcome = outcomes[index];
    const revision = Number(revisions[index]);
    const eventNumber = Number(eventNumbers[index]);
    const position = positionOf(eventNumber);
    switch (outcome) {
      case 'appended':
        return { append, eventNumber, recorded, result: { outcome, revision, position } };
      case '"already appended"':
        return {
          ...{ append, eventNumber, recorded },
          result: { outcome: 'already appended', revision, position },
        };
      case 'conflict':
        return {
          ...{ append, eventNumber: 0, recorded },
          result: { outcome, actual: revision < 0 ? 'none' : revision },
        };
      default:
        throw new Error(`the log answered ${outcome} to an append`);
    }
  });
}

/** The elements of an array in Postgres' text format; none of ours contains a comma. */
function elementsOf(array: unknown): string[] {
  return typeof array === 'string' ? array.slice(1, -1).split(',') : [];
}
