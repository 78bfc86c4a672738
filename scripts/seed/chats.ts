import type { Chat } from '../../contracts/chat.ts';
import type { DomainEvent } from '../../contracts/events/index.ts';
import {
  type ConversationId,
  friendConversation,
  type Gid,
  groupConversation,
  type Mid,
  type Uid,
} from '../../contracts/ids.ts';
import type { ConversationMessage } from '../../services/domain/conversation.ts';

/** How many of a conversation's last messages are remembered. */
const maxRecent = 8;

/** How many of those who left a group are remembered. */
const maxFormer = 8;

/** A conversation as its people see it. */
export interface ChatState {
  readonly conversation: ConversationId;
  readonly gid: Gid | undefined;
  /** Who is in it, in joining order. */
  people: Uid[];
  /** How many messages and notices there are: the sequence of the last one. */
  sequence: number;
  /** The last ones, the oldest first. */
  readonly recent: ConversationMessage[];
  /** Who left a group last. */
  former: Uid[];
  /** From which sequence on each may read, of a group. */
  readonly joined: Map<Uid, number>;
  readonly readTo: Map<Uid, number>;
  readonly hiddenBy: Set<Uid>;
  readonly pinnedBy: Set<Uid>;
  /** Who has sent a message. */
  readonly spoke: Set<Uid>;
}

/** The chat that `uid` calls this conversation. */
export function chatOf({ gid, people }: ChatState, uid: Uid): Chat {
  if (gid !== undefined) return { type: 'group', id: gid };
  const [one = uid, other = uid] = people;
  return { type: 'friend', id: one === uid ? other : one };
}

/** All conversations, as the projections number their messages. */
export class Chats {
  /** Those in which people talk, in the order in which they began. */
  readonly pairs: ChatState[] = [];
  readonly groups: ChatState[] = [];
  readonly #byId = new Map<ConversationId, ChatState>();

  get(conversation: ConversationId): ChatState | undefined {
    return this.#byId.get(conversation);
  }

  /** The chat of two people, which begins if there is none. */
  between(one: Uid, other: Uid): ChatState {
    const conversation = friendConversation(one, other);
    return this.#byId.get(conversation) ?? this.#begin(conversation, undefined, [one, other]);
  }

  /** Applies an event that happened at `timestamp`, in whole seconds since 1970. */
  apply({ type, data }: DomainEvent, timestamp: number): void {
    switch (type) {
      case 'MessageSent':
        this.#place(this.#byId.get(data.conversation), data.mid, data.from, timestamp, false);
        return;
      case 'MessageRevoked':
        this.#change(data.conversation, data.mid, 'revoked');
        return;
      case 'MessageDeleted':
        if (data.scope === 'all') this.#change(data.conversation, data.mid, 'deleted');
        return;
      case 'FriendAgreed':
        this.#place(this.between(data.from, data.to), data.mid, data.to, timestamp, false);
        return;
      case 'Befriended':
        this.between(data.by, data.friend);
        return;
      case 'Unfriended':
        for (const uid of [data.by, data.friend]) hide(this.between(data.by, data.friend), uid);
        return;
      case 'GroupCreated': {
        const { gid, owner, members, noticeMid } = data;
        const chat = this.#begin(groupConversation(gid), gid, [...members]);
        for (const uid of members) chat.joined.set(uid, 0);
        if (noticeMid !== null) this.#place(chat, noticeMid, owner, timestamp, true);
        return;
      }
      case 'MembersAdded':
        this.#join(data.gid, data.members);
        this.#placeNotice(data.gid, data.noticeMid, data.by, timestamp);
        return;
      case 'MemberJoined':
        this.#join(data.gid, [data.uid]);
        this.#placeNotice(data.gid, data.noticeMid, data.uid, timestamp);
        return;
      case 'MemberMuted':
      case 'MemberUnmuted':
      case 'GroupMuted':
      case 'GroupUnmuted':
        this.#placeNotice(data.gid, data.noticeMid, data.by, timestamp);
        return;
      case 'MembersRemoved':
        this.#leave(data.gid, data.members);
        return;
      case 'MemberLeft':
        this.#leave(data.gid, [data.uid]);
        return;
      case 'GroupDissolved':
        this.#close(data.gid);
        return;
      case 'ReadTo':
        this.#byId.get(data.conversation)?.readTo.set(data.uid, data.sequence);
        return;
      case 'ChatHidden': {
        const chat = this.#byId.get(data.conversation);
        if (chat) hide(chat, data.uid);
        return;
      }
      case 'ChatShown':
        this.#byId.get(data.conversation)?.hiddenBy.delete(data.uid);
        return;
      case 'ChatPinned':
        this.#byId.get(data.conversation)?.pinnedBy.add(data.uid);
        return;
      case 'ChatUnpinned':
        this.#byId.get(data.conversation)?.pinnedBy.delete(data.uid);
        return;
      default:
    }
  }

  #begin(conversation: ConversationId, gid: Gid | undefined, people: Uid[]): ChatState {
    const fresh = {
      former: [],
      joined: new Map(),
      readTo: new Map(),
      hiddenBy: new Set<Uid>(),
      pinnedBy: new Set<Uid>(),
    };
    const chat = { conversation, gid, people, sequence: 0, recent: [], spoke: new Set<Uid>(), ...fresh };
    this.#byId.set(conversation, chat);
    (gid === undefined ? this.pairs : this.groups).push(chat);
    return chat;
  }

  #placeNotice(gid: Gid, mid: Mid, by: Uid, timestamp: number): void {
    this.#place(this.#byId.get(groupConversation(gid)), mid, by, timestamp, true);
  }

  #place(chat: ChatState | undefined, mid: Mid, sender: Uid, timestamp: number, notice: boolean): void {
    if (!chat) return;
    const sequence = ++chat.sequence;
    chat.recent.push({ mid, sequence, sender, timestamp, notice, state: 'normal' });
    if (chat.recent.length > maxRecent) chat.recent.shift();
    chat.hiddenBy.clear();
    if (!notice) chat.spoke.add(sender);
  }

  #change(conversation: ConversationId, mid: Mid, state: ConversationMessage['state']): void {
    const recent = this.#byId.get(conversation)?.recent ?? [];
    const index = recent.findIndex((message) => message.mid === mid);
    const message = recent[index];
    if (message) recent[index] = { ...message, state };
  }

  #join(gid: Gid, uids: readonly Uid[]): void {
    const chat = this.#byId.get(groupConversation(gid));
    if (!chat) return;
    chat.people = [...chat.people, ...uids];
    for (const uid of uids) chat.joined.set(uid, chat.sequence);
    for (const uid of uids) chat.readTo.set(uid, chat.sequence);
  }

  #leave(gid: Gid, uids: readonly Uid[]): void {
    const chat = this.#byId.get(groupConversation(gid));
    if (!chat) return;
    const gone = new Set(uids);
    chat.people = chat.people.filter((uid) => !gone.has(uid));
    chat.former = [...chat.former, ...uids].slice(-maxFormer);
    for (const uid of uids) {
      chat.joined.delete(uid);
      chat.readTo.delete(uid);
      chat.hiddenBy.delete(uid);
      chat.pinnedBy.delete(uid);
    }
  }

  #close(gid: Gid): void {
    const conversation = groupConversation(gid);
    this.#byId.delete(conversation);
    const index = this.groups.findIndex((chat) => chat.conversation === conversation);
    if (index >= 0) this.groups.splice(index, 1);
  }
}

/** Takes a chat out of someone's list, with all of it read. */
function hide(chat: ChatState, uid: Uid): void {
  chat.hiddenBy.add(uid);
  chat.readTo.set(uid, chat.sequence);
}
