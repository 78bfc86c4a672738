import { streamName } from '../../domain/aggregate.ts';
import { streamOfName } from '../../domain/stream-of-name.ts';
import type { RecordedEvent } from '../../log/log.ts';
import { foldAt } from '../folded-stream.ts';
import { momentAfter } from '../moment.ts';
import type { ReadableLog } from '../readable-log.ts';

/** A stream at one of its revisions. */
export interface StreamThen {
  readonly revision: number;
  /** The last revision that the stream has. */
  readonly last: number;
  /** The event of the revision. */
  readonly event: RecordedEvent;
  /** Whether commands fold this stream; others have no state. */
  readonly folded: boolean;
  /** The state after the event, as JSON can hold it; null if there is none. */
  readonly state: unknown;
}

/**
 * A stream at a revision, by default its last one.
 * @returns undefined if the stream does not have that revision
 * @throws LogFailure, UnreadableEvent; TypeError for an illegal name
 */
export async function streamThen(
  log: ReadableLog,
  text: string,
  revision: number | undefined,
): Promise<StreamThen | undefined> {
  const name = streamName(text);
  const end = await firstOf(log.readStream(name, { direction: 'backwards', limit: 1 }));
  if (end === undefined) return undefined;
  const event =
    revision === undefined || revision === end.revision
      ? end
      : await firstOf(log.readStream(name, { from: revision, limit: 1 }));
  if (event === undefined || (revision !== undefined && event.revision !== revision)) return undefined;
  const stream = streamOfName(name);
  const state = stream === undefined ? null : plain(await foldAt(log, stream, momentAfter(event)));
  return { revision: event.revision, last: end.revision, event, folded: stream !== undefined, state };
}

async function firstOf(records: AsyncIterable<RecordedEvent>): Promise<RecordedEvent | undefined> {
  for await (const record of records) return record;
  return undefined;
}

/** A state as JSON can hold it: a map as an object, a set as a list. */
function plain(state: unknown): unknown {
  if (state instanceof Map)
    return Object.fromEntries(Array.from(state, ([key, value]) => [key, plain(value)]));
  if (state instanceof Set) return Array.from(state, plain);
  if (Array.isArray(state)) return state.map(plain);
  if (typeof state !== 'object' || state === null) return state ?? null;
  return Object.fromEntries(Object.entries(state).map(([key, value]) => [key, plain(value)]));
}
