import type { DomainEvent } from '../../../contracts/events/index.ts';
import { type ConversationId, conversationParties, type Uid } from '../../../contracts/ids.ts';
import { projectionsByType } from '../../../projections/index.ts';
import type { Projection } from '../../../projections/projection.ts';
import { noPushes } from '../../../projections/runner/push-book.ts';
import { MemoryRows } from '../../../projections/store/memory-rows.ts';
import {
  conversations,
  groupMembers,
  groups,
  type InboxRow,
  inbox,
  type MessageRow,
  messages,
} from '../../../projections/tables.ts';
import { conversationStream } from '../../domain/conversation.ts';
import { friendshipStream } from '../../domain/friendship.ts';
import { groupStream } from '../../domain/group.ts';
import { inboxStream } from '../../domain/inbox.ts';
import { readsGroupAfter } from '../../domain/reading.ts';
import type { Decoded } from '../../log/codec.ts';
import type { EventLog, StreamName } from '../../log/log.ts';

/**
 * The read models of one conversation, made in memory by the projections that make the tables: its
 * messages with their sequences, who is in it, and how far some people have read.
 */
export class ConversationReplay {
  readonly conversation: ConversationId;
  /** The streams whose events it applies: what was said, who may read it, and the lists of the readers. */
  readonly streams: ReadonlySet<StreamName>;
  readonly #projections: ReadonlyMap<string, Projection<DomainEvent>>;
  readonly #rows = new MemoryRows();

  /** @param readers whose reading is followed */
  constructor(conversation: ConversationId, readers: readonly Uid[], remembersIds: EventLog['remembersIds']) {
    this.conversation = conversation;
    const parties = conversationParties(conversation);
    const relation = parties.type === 'group' ? groupStream(parties.gid) : friendshipStream(...parties.uids);
    this.streams = new Set([conversationStream(conversation), relation.name, ...readers.map(inboxStream)]);
    this.#projections = projectionsByType(remembersIds === 'recently');
  }

  /** Applies the next event of the streams. @throws what its projection throws */
  apply(event: Decoded): void {
    if (!this.streams.has(event.stream)) return;
    // A list of chats has events of other conversations, too.
    if ('conversation' in event.data && event.data.conversation !== this.conversation) return;
    this.#projections.get(event.type)?.apply(event, this.#rows, noPushes);
  }

  /** The conversation's last sequence; 0 if nothing was said. */
  get sequence(): number {
    return this.end?.sequence ?? 0;
  }

  /** How the conversation ends; undefined if nothing was said. */
  get end() {
    return this.#rows.get(conversations.at(this.conversation));
  }

  message(sequence: number): MessageRow | undefined {
    return this.#rows.get(messages.at(this.conversation, sequence));
  }

  /** The conversation in someone's list of chats. */
  inbox(uid: Uid): InboxRow | undefined {
    return this.#rows.get(inbox.at(uid, this.conversation));
  }

  /** After which sequence someone reads the conversation; undefined if they take no part in it. */
  readsAfter(uid: Uid): number | undefined {
    const parties = conversationParties(this.conversation);
    if (parties.type === 'friend') return parties.uids.includes(uid) ? 0 : undefined;
    const group = this.#rows.get(groups.at(parties.gid));
    const member = this.#rows.get(groupMembers.at(parties.gid, uid));
    return readsGroupAfter(group && { ...group, joinedSequence: member?.joined_sequence ?? null });
  }
}
