import { Gid, Uid } from '../../../contracts/ids.ts';
import { type AggregateStream, streamName } from '../../domain/aggregate.ts';
import { allowanceStream } from '../../domain/allowance.ts';
import { friendshipStream } from '../../domain/friendship.ts';
import { groupStream } from '../../domain/group.ts';
import { replyStream } from '../../domain/reply.ts';
import { settingStream } from '../../domain/setting.ts';
import { userStream } from '../../domain/user.ts';
import type { RecordedEvent, StreamName } from '../../log/log.ts';
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
  const stream = foldedStream(name);
  const state = stream === undefined ? null : plain(await foldAt(log, stream, momentAfter(event)));
  return { revision: event.revision, last: end.revision, event, folded: stream !== undefined, state };
}

async function firstOf(records: AsyncIterable<RecordedEvent>): Promise<RecordedEvent | undefined> {
  for await (const record of records) return record;
  return undefined;
}

/** The aggregate of a stream, by its name; undefined for a stream that is not folded to decide. */
function foldedStream(name: StreamName): AggregateStream<unknown> | undefined {
  const [, category = '', ...digits] = /^([a-z]+)(?:-(\d{1,16}))?(?:-(\d{1,16}))?$/.exec(name) ?? [];
  const [one, other] = digits.map((text) => Uid.safeParse(Number(text)).data);
  const stream = streamOf(category, one, other);
  // Only if it is the name that the domain gives to that stream.
  return stream?.name === name ? (stream as AggregateStream<unknown>) : undefined;
}

function streamOf(category: string, one: Uid | undefined, other: Uid | undefined) {
  if (category === 'setting') return settingStream;
  if (one === undefined) return undefined;
  switch (category) {
    case 'user':
      return userStream(one);
    case 'group':
      return groupStream(Gid.parse(one));
    case 'reply':
      return replyStream(one);
    case 'allowance':
      return allowanceStream(one);
    case 'friendship':
      return other === undefined ? undefined : friendshipStream(one, other);
    default:
      return undefined;
  }
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
