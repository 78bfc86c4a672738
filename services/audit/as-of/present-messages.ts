import { groupEvents } from '../../../contracts/events/group.ts';
import type { DomainEvent } from '../../../contracts/events/index.ts';
import { type ConversationId, conversationParties, type Uid } from '../../../contracts/ids.ts';
import { applyKnown, type KnownMessage, knownReads } from '../../../projections/known-messages.ts';
import type { Projection } from '../../../projections/projection.ts';
import type { Ref } from '../../../projections/store/table.ts';
import { conversations, inbox, messages } from '../../../projections/tables.ts';
import { chunked } from '../../chunked.ts';
import { conversationStream } from '../../domain/conversation.ts';
import type { Decoded } from '../../log/codec.ts';
import type { EventId, EventPlace, Position } from '../../log/log.ts';
import type { Queries } from '../index/search.ts';
import type { Cut } from './cut.ts';
import { PresentUnusable } from './present.ts';
import {
  changedMessages,
  copying,
  copyingLookedUp,
  counting,
  lackingLookedUp,
  neededMessages,
} from './present-messages-sql.ts';
import { withoutNotice } from './without-notices.ts';

/** The event that says a message; all other events of conversations change messages that are there. */
const sent = 'MessageSent';

/** The events of groups: some leave a notice. */
const ofGroups: ReadonlySet<string> = new Set(groupEvents.map(({ type }) => type));

/** Of how many conversations one statement finds the end. */
const endsAtOnce = 2_000;

/** Of how many conversations one statement copies the messages: some may have 100,000. */
const conversationsCopiedAtOnce = 20;

/** Before which event a conversation must show all that was said. */
interface Point {
  /** Which event of the batch. */
  readonly at: number;
  readonly conversation: ConversationId;
  /** Null: the end. */
  readonly id: EventId | null;
  readonly position: Position;
  /** Whether the conversation's own row must show it. */
  readonly end: boolean;
  /** Whether the chats of the people must. */
  readonly own: boolean;
}

/** A message that an event of the batch names. */
interface Named {
  readonly at: number;
  readonly conversation: string;
  readonly sequence: number;
}

interface KnownRow {
  readonly at: number;
  readonly as: KnownMessage['as'];
  readonly place: string;
  /** Null if the read models lack the message. */
  readonly mid: unknown;
}

export interface PresentMessagesOptions {
  /** A connection of its own. */
  readonly queries: Queries;
  readonly projections: ReadonlyMap<string, Projection<DomainEvent>>;
  readonly conversations: readonly ConversationId[];
  /** Whose chats are shown. */
  readonly people: readonly Uid[];
  readonly cut: Cut;
}

/**
 * The messages and notices of some conversations as the present read models have them. Such a row never changes but in what
 * was taken back of it, so it tells what it was at a moment of the past, and of a thousand messages between two events
 * that count them the last ones alone are applied (projections/known-messages.ts). All others are copied at the end. What
 * was taken back is applied after all that was said, as nothing but what is shown at the end depends on it.
 */
export class PresentMessages {
  readonly #options: PresentMessagesOptions;
  readonly #conversations: ReadonlySet<string>;
  readonly #people: ReadonlySet<unknown>;
  readonly #projections: ReadonlyMap<string, Projection<DomainEvent>>;
  readonly #known = new WeakMap<Decoded, KnownMessage>();
  /** Up to which message each conversation was applied to its own row, and each chat of the people. */
  readonly #ends = new Map<string, number>();
  readonly #owns = new Map<string, number>();

  constructor(options: PresentMessagesOptions) {
    this.#options = options;
    this.#conversations = new Set(options.conversations);
    this.#people = new Set(options.people);
    this.#projections = new Map(
      Array.from(options.projections, ([type, projection]) => [
        type,
        ofGroups.has(type) ? withoutNotice(projection, this.#people) : projection,
      ]),
    );
  }

  /** The projections, without notices, and with that of messages for those that this class gives. */
  get projections(): ReadonlyMap<string, Projection<DomainEvent>> {
    const known = (event: Decoded): KnownMessage => {
      const found = this.#known.get(event);
      if (!found) throw new TypeError('a message is applied whose row is not known');
      return found;
    };
    const applied: Projection<DomainEvent> = {
      reads: (event) => knownReads(known(event)),
      apply: (event, rows) => applyKnown(rows, known(event)),
    };
    return new Map([...this.#projections, [sent, applied]]);
  }

  /** The events by which messages that were taken back, or that the people deleted, were changed, in the order of the log. */
  async changes(): Promise<EventPlace[]> {
    const { queries, people, cut } = this.#options;
    const { rows } = await queries.query<{ stream: EventPlace['stream']; revision: string }>(
      changedMessages,
      [[...this.#conversations], people, sent, cut.number],
    );
    return rows.map(({ stream, revision }) => ({ stream, revision: Number(revision) }));
  }

  /**
   * Batches of events, with the messages in front of each that it needs, then the last ones of all, and at last what was
   * taken back of them.
   * @param changes batches of the events of `changes`
   */
  async *with(
    batches: AsyncIterable<readonly Decoded[]>,
    changes: AsyncIterable<readonly Decoded[]>,
  ): AsyncGenerator<Decoded[]> {
    for await (const events of batches) {
      const known = await this.#neededBy(events);
      yield events.flatMap((event, at) => [...(known.get(at) ?? []), event]);
    }
    const { position } = this.#options.cut;
    const last = { id: null, position, end: true, own: true };
    for (const some of chunked(this.#options.conversations, endsAtOnce)) {
      const points = some.map((conversation, at) => ({ at, conversation, ...last }));
      const known = await this.#find(points, [], () => position);
      yield [...known.values()].flat();
    }
    for await (const events of changes) {
      const shown = events.filter((event) => this.#isShown(event));
      const known = await this.#find([], this.#namedBy(shown), (at) => shown[at]?.position ?? position);
      yield shown.flatMap((event, at) => [...(known.get(at) ?? []), event]);
    }
  }

  /** Whether any of the people sees a change: what others deleted for themselves they do not. */
  #isShown({ type, data }: Decoded): boolean {
    return type !== 'MessageDeleted' || data.scope === 'all' || this.#people.has(data.by);
  }

  #namedBy(events: readonly Decoded[]): Named[] {
    return events.flatMap((event, at) =>
      this.#shownBy(event).flatMap(({ ref, conversation }) =>
        ref.table.name === messages.name ? { at, conversation, sequence: Number(ref.values[1]) } : [],
      ),
    );
  }

  /** The rows that an event reads of the conversations. */
  #shownBy(event: Decoded): { ref: Ref; conversation: ConversationId }[] {
    const refs = this.#projections.get(event.type)?.reads(event) ?? [];
    return refs.flatMap((ref) => {
      const conversation = this.#conversationOf(ref);
      return conversation === undefined ? [] : { ref, conversation };
    });
  }

  #neededBy(events: readonly Decoded[]): Promise<Map<number, Decoded[]>> {
    const points: Point[] = [];
    for (const [at, event] of events.entries()) {
      // Nothing was said before.
      if (event.type === 'GroupCreated') continue;
      const { id, position } = event;
      const ends = new Set<ConversationId>();
      const owns = new Set<ConversationId>();
      for (const { ref, conversation } of this.#shownBy(event)) {
        if (ref.table.name === conversations.name) ends.add(conversation);
        else if (ref.table.name === inbox.name) owns.add(conversation);
      }
      for (const conversation of ends.union(owns)) {
        // Between two people the first message makes the chats.
        const end = ends.has(conversation) || conversationParties(conversation).type === 'friend';
        points.push({ at, conversation, id, position, end, own: owns.has(conversation) });
      }
    }
    const named = this.#namedBy(events);
    return this.#find(points, named, (at) => events[at]?.position ?? this.#options.cut.position);
  }

  /** The conversation of a row that shows what was said in it. */
  #conversationOf({ table, list, values: [first, second] }: Ref): ConversationId | undefined {
    if (list !== null) return undefined;
    const shown =
      table.name === inbox.name && this.#people.has(first)
        ? second
        : table.name === conversations.name || table.name === messages.name
          ? first
          : undefined;
    return this.#conversations.has(String(shown)) ? (shown as ConversationId) : undefined;
  }

  async #find(
    points: readonly Point[],
    named: readonly Named[],
    positionOf: (at: number) => Position,
  ): Promise<Map<number, Decoded[]>> {
    const found = new Map<number, Decoded[]>();
    if (points.length === 0 && named.length === 0) return found;
    const { rows } = await this.#options.queries.query<KnownRow>(neededMessages, [
      points.map(({ at }) => at),
      points.map(({ conversation }) => conversation),
      points.map(({ conversation, end }) => (end ? (this.#ends.get(conversation) ?? 0) : null)),
      points.map(({ conversation, own }) => (own ? this.#ownsOf(conversation) : null)),
      points.map(({ id }) => id),
      points.map(({ position }) => position),
      this.#options.people,
      named.map(({ at }) => at),
      named.map(({ conversation }) => conversation),
      named.map(({ sequence }) => sequence),
      this.#options.cut.number + 1,
    ]);
    for (const row of rows) {
      const { at, as, place } = row;
      if (row.mid === null) throw new PresentUnusable('lost messages');
      const message = messages.read({ ...row });
      const { conversation, sender, sequence } = message;
      const [applied, key] =
        as === 'end' ? [this.#ends, conversation] : [this.#owns, chatKey(conversation, sender)];
      if (as !== 'named') {
        if ((applied.get(key) ?? 0) >= sequence) continue;
        applied.set(key, sequence);
      }
      const event = eventOf(message, positionOf(at));
      this.#known.set(event, as === 'end' ? { as, message, place } : { as, message });
      const before = found.get(at);
      if (before) before.push(event);
      else found.set(at, [event]);
    }
    return found;
  }

  /** Up to which message the chats of all the people were applied. */
  #ownsOf(conversation: string): number {
    return Math.min(...this.#options.people.map((uid) => this.#owns.get(chatKey(conversation, uid)) ?? 0));
  }

  /**
   * Copies the messages that were said by then into the messages of another schema, but those that are there.
   * @param clients each of them copies those of some conversations at once
   * @param chats whether those alone are needed that a list of chats looks up
   * @throws PresentUnusable if some of the messages are not there: they are numbered from 1 in each conversation
   */
  async copyInto(clients: readonly Queries[], schema: string, chats: boolean): Promise<void> {
    const { queries, people, conversations: wanted } = this.#options;
    if (chats) {
      await queries.query(copyingLookedUp(schema), [people]);
      const { rows } = await queries.query<{ lacking: string }>(lackingLookedUp(schema), [people]);
      if (Number(rows[0]?.lacking) > 0) throw new PresentUnusable('lost messages');
      return;
    }
    const { rows } = await queries.query<{ said: string; there: string }>(counting(schema), [wanted]);
    const missing = Number(rows[0]?.said) - Number(rows[0]?.there);
    const chunks = chunked(wanted, conversationsCopiedAtOnce);
    let copied = 0;
    const copy = async (client: Queries) => {
      for (const some of chunks) {
        const { rowCount } = await client.query(copying(schema), [some]);
        copied += rowCount ?? 0;
      }
    };
    await Promise.all(clients.map(copy));
    if (copied !== missing) throw new PresentUnusable('lost messages');
  }
}

const chatKey = (conversation: string, uid: Uid) => `${conversation} ${uid}`;

/** The event by which a message whose row is known is applied, in front of the event at a position. */
function eventOf(
  { conversation, mid, sender, content, timestamp, event_id }: ReturnType<typeof messages.read>,
  position: Position,
): Decoded {
  // The projector wrote it from an event of the log.
  const id = event_id as EventId;
  return {
    type: sent,
    data: { conversation, mid, from: sender, content },
    id,
    stream: conversationStream(conversation),
    revision: 0,
    position,
    metadata: { time: timestamp * 1000, actor: 'server', version: 1, $correlationId: id, $causationId: id },
  };
}
