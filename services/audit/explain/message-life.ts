import { conversationParties, Uid } from '../../../contracts/ids.ts';
import { groupStream } from '../../domain/group.ts';
import type { Decoded } from '../../log/codec.ts';
import type { EventLog } from '../../log/log.ts';
import { FoldedStream } from '../folded-stream.ts';
import { mergedStreams } from '../merged-streams.ts';
import type { Moment } from '../moment.ts';
import type { ReadableLog } from '../readable-log.ts';
import { ConversationReplay } from './conversation-replay.ts';
import type { MessageOrigin } from './message-origin.ts';
import { type History, LastSteps } from './steps.ts';
import { conversationName } from './wording.ts';

/** How many people's reading is followed at most: each is a stream of the log. */
const maxReaders = 500;

/** What became of a message. */
export interface MessageLife extends History {
  /** Who sent it, and when, in milliseconds since 1970; undefined if it was not sent by the moment. */
  readonly sent: { readonly by: Uid; readonly time: number } | undefined;
  /** How many others have seen it, of how many it was sent to. */
  readonly seenBy: number;
  readonly readers: number;
  /** How many it was sent to of whom it is not followed whether they have seen it. */
  readonly unfollowed: number;
  readonly quotes: number;
  /** Its end, as a clause: `was revoked by person 9`; undefined if there is none. */
  readonly end: string | undefined;
}

/** What happened to a message: sent, quoted, seen, revoked, deleted, up to a moment. */
export async function messageLife(
  log: ReadableLog,
  origin: MessageOrigin,
  moment: Moment,
  maxSteps: number,
): Promise<MessageLife> {
  const { followed, others } = await readersOf(log, origin, moment);
  const life = new Life(origin, followed, log.remembersIds, maxSteps);
  for await (const event of mergedStreams(log, life.streams, moment)) life.apply(event);
  return life.summary(others);
}

/** Whom a message was sent to: those of whom it is followed, and how many there are beside them. */
async function readersOf(log: ReadableLog, { conversation, eventId }: MessageOrigin, moment: Moment) {
  const parties = conversationParties(conversation);
  if (parties.type === 'friend') return { followed: parties.uids, others: 0 };
  const group = new FoldedStream(groupStream(parties.gid), log.remembersIds);
  const replay = new ConversationReplay(conversation, [], log.remembersIds);
  for await (const event of mergedStreams(log, [...replay.streams], moment)) {
    group.apply(event);
    if (event.id === eventId) break;
  }
  const members = [...(group.state?.members.keys() ?? [])];
  return { followed: members.slice(0, maxReaders), others: Math.max(0, members.length - maxReaders) };
}

/**
 * What became of a message, in one sentence.
 * @param sent who sent it, when and where, as a clause
 */
export function lifeInWords({ seenBy, readers, unfollowed, quotes, end }: MessageLife, sent: string): string {
  const parts = [
    `was sent ${sent}`,
    `seen by ${seenBy} of ${readers}${unfollowed > 0 ? ` (${unfollowed} more are not followed)` : ''}`,
    ...(quotes > 0 ? [`quoted ${quotes === 1 ? 'once' : `${quotes} times`}`] : []),
    ...(end === undefined ? [] : [end]),
  ];
  return parts.join(', ');
}

class Life {
  readonly #origin: MessageOrigin;
  readonly #readers: readonly Uid[];
  readonly #replay: ConversationReplay;
  readonly #steps: LastSteps;
  readonly #seen = new Set<Uid>();
  #sent: { readonly by: Uid; readonly time: number; readonly sequence: number } | undefined;
  #quotes = 0;
  #end: string | undefined;

  constructor(
    origin: MessageOrigin,
    readers: readonly Uid[],
    remembersIds: EventLog['remembersIds'],
    maxSteps: number,
  ) {
    this.#origin = origin;
    this.#readers = readers;
    this.#replay = new ConversationReplay(origin.conversation, readers, remembersIds);
    this.#steps = new LastSteps(maxSteps);
  }

  get streams() {
    return [...this.#replay.streams];
  }

  apply(event: Decoded): void {
    this.#replay.apply(event);
    if (event.id === this.#origin.eventId && !this.#sent) this.#send(event);
    if (!this.#sent) return;
    this.#note(event);
    this.#noteReaders(event);
  }

  /** @param unfollowed how many readers are not followed */
  summary(unfollowed: number): MessageLife {
    return {
      ...this.#steps.history(),
      sent: this.#sent,
      seenBy: this.#seen.size,
      readers: this.#readers.filter((uid) => uid !== this.#sent?.by).length,
      unfollowed,
      quotes: this.#quotes,
      end: this.#end,
    };
  }

  #step(event: Decoded, words: string): void {
    this.#steps.add({ time: event.metadata.time, words, cause: { kind: 'event', event } });
  }

  #send(event: Decoded): void {
    const { sequence } = this.#replay;
    const message = this.#replay.message(sequence);
    if (!message) return;
    const by = Uid.parse(message.sender);
    this.#sent = { by, time: event.metadata.time, sequence };
    const what = message.sub_type === 'notice' ? 'is left as a notice' : `is sent by person ${by}`;
    this.#step(event, `${what} ${conversationName(this.#origin.conversation)}`);
  }

  /** What is done to the message itself. */
  #note(event: Decoded): void {
    const { mid } = this.#origin;
    if (event.type === 'MessageSent' && event.data.quoteMid === mid) {
      this.#quotes++;
      this.#step(event, `is quoted by person ${event.data.from} in message ${event.data.mid}`);
    }
    if (event.type === 'MessageWithdrawn' && event.data.sequence === this.#sent?.sequence) {
      this.#step(event, "is withdrawn by the server's key");
      this.#end = "was withdrawn by the server's key";
    }
    if (event.type !== 'MessageRevoked' && event.type !== 'MessageDeleted') return;
    if (event.data.sequence !== this.#sent?.sequence) return;
    const { by } = event.data;
    const words =
      event.type === 'MessageRevoked'
        ? `was revoked by person ${by}`
        : event.data.scope === 'all'
          ? `was deleted for all by person ${by}`
          : `was deleted by person ${by} for themselves`;
    this.#step(event, words.replace('was', 'is'));
    if (event.type === 'MessageRevoked' || event.data.scope === 'all') this.#end = words;
  }

  /** Who has read up to the message by now and had not before. */
  #noteReaders(event: Decoded): void {
    const { by: sender, sequence } = this.#sent ?? { by: undefined, sequence: 0 };
    const { data } = event;
    const uid = 'uid' in data ? data.uid : null;
    const named = uid === null ? readersNamedBy(event, this.#readers) : [uid];
    for (const uid of named) {
      if (uid === sender || this.#seen.has(uid)) continue;
      if ((this.#replay.inbox(uid)?.read_sequence ?? 0) < sequence) continue;
      // Who was removed and joins again has not seen it: it is not theirs to read.
      const after = this.#replay.readsAfter(uid);
      if (after === undefined || after >= sequence) continue;
      this.#seen.add(uid);
      this.#step(event, `is seen by person ${uid}`);
    }
  }
}

/** Whose reading an event may move on although it names them otherwise: to part reads all. */
function readersNamedBy(event: Decoded, readers: readonly Uid[]): readonly Uid[] {
  return event.type === 'Unfriended' ? readers : [];
}
