import { int4s, int8s, type Row, type Statement, texts, uuids } from '../../postgres/pipeline.ts';
import type { AppendResult, StreamName } from '../log.ts';
import type { PreparedEvent } from '../prepared.ts';
import { positionOf } from './position.ts';

/** At most so much goes in one transaction, so that nobody waits long behind a heap. */
const maxBatchEvents = 1_000;
const maxBatchBytes = 4_000_000;

/** An append that waits for its turn, or for its answer. */
export interface WaitingAppend {
  readonly stream: StreamName;
  /** -2 for anything, -1 for no stream yet. */
  readonly expected: number;
  readonly events: readonly PreparedEvent[];
  readonly bytes: number;
  /** When the caller is told that it was in vain, on the clock of performance.now(). */
  readonly deadline: number;
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: Error) => void;
  /** Whether it was sent and the answer got lost. */
  doubtful: boolean;
  /** Why the server refused it when it was sent last, as for a full disk; undefined if it did not. */
  refused: unknown;
  /** Whether it goes by itself, because a batch that held it was refused as a whole. */
  alone: boolean;
}

export const anything = -2;

/**
 * Picks what goes together, in the order of arrival. What must see the outcome of another one comes
 * in a later batch: a repeated id, and in one stream all but appends that expect anything. Whatever
 * follows in the stream of one that stays behind stays behind too.
 * @returns the batch, and what stays, both in the order of arrival
 */
export function nextBatch(waiting: readonly WaitingAppend[]): {
  batch: WaitingAppend[];
  rest: WaitingAppend[];
} {
  const batch: WaitingAppend[] = [];
  const held: WaitingAppend[] = [];
  const ids = new Set<string>();
  const expectations = new Map<StreamName, number>();
  const heldStreams = new Set<StreamName>();
  let events = 0;
  let bytes = 0;
  for (const [index, append] of waiting.entries()) {
    const full = events + append.events.length > maxBatchEvents || bytes + append.bytes > maxBatchBytes;
    const lonely = append.alone || batch[0]?.alone;
    if (batch.length > 0 && (full || lonely)) {
      return { batch, rest: held.concat(waiting.slice(index)) };
    }
    const earlier = expectations.get(append.stream);
    const dependent =
      heldStreams.has(append.stream) ||
      (earlier !== undefined && (earlier !== anything || append.expected !== anything)) ||
      append.events.some(({ id }) => ids.has(id));
    if (dependent) {
      heldStreams.add(append.stream);
      held.push(append);
      continue;
    }
    batch.push(append);
    for (const { id } of append.events) ids.add(id);
    expectations.set(append.stream, append.expected);
    events += append.events.length;
    bytes += append.bytes;
  }
  return { batch, rest: held };
}

/**
 * The statement that appends a batch: `log.append` of 0001-log, which says what it takes and gives.
 * @param hintOf a revision that the stream is thought to have reached
 */
export function appendStatement(
  batch: readonly WaitingAppend[],
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

/** What one append came to: the answer, and where its last event lies if it lies anywhere. */
export interface Committed {
  readonly append: WaitingAppend;
  readonly result: AppendResult;
  /** The place of the last event stored now, or of the first one where it stood before; else 0. */
  readonly place: number;
  readonly recorded: number;
}

/** Reads the row that answers `appendStatement`. @throws Error where it does not fit the batch. */
export function committedOf(batch: readonly WaitingAppend[], row: Row | undefined): Committed[] {
  const outcomes = elementsOf(row?.outcomes);
  const revisions = elementsOf(row?.revisions);
  const places = elementsOf(row?.positions);
  const recorded = Number(row?.recorded);
  return batch.map((append, index) => {
    const outcome = outcomes[index];
    const revision = Number(revisions[index]);
    const place = Number(places[index]);
    switch (outcome) {
      case 'appended':
        return { append, place, recorded, result: { outcome, revision, position: positionOf(place) } };
      case '"already appended"':
        return {
          append,
          place,
          recorded,
          result: { outcome: 'already appended', revision, position: positionOf(place) },
        };
      case 'conflict':
        return {
          append,
          place: 0,
          recorded,
          result: { outcome, actual: revision < 0 ? 'none' : revision },
        };
      default:
        throw new Error(`the log answered ${outcome} to an append`);
    }
  });
}

/** The elements of an array as Postgres writes it; none of ours holds a comma. */
function elementsOf(array: unknown): string[] {
  return typeof array === 'string' ? array.slice(1, -1).split(',') : [];
}
