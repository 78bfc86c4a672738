import type { ConversationId, Uid } from '../../contracts/ids.ts';

/** A message or notice, with what became of it. */
export interface Said {
  readonly mid: number;
  readonly from: Uid;
  readonly content: string;
  readonly notice: boolean;
  readonly time: number;
  state: 'unchanged' | 'revoked' | 'deleted';
  readonly deletedFor: Set<Uid>;
}

/** A chat of one person. The numbers count the messages and notices of the conversation. */
interface ChatState {
  /** They may read what is after this one. */
  readonly from: number;
  read: number;
  marked: number;
  /** Listed again only by a message after this one; null: listed. */
  hidden: number | null;
}

/** All that was said, and how far everyone has read. It counts message by message, to compare the queries with it. */
export class Recollection {
  readonly #said = new Map<ConversationId, Said[]>();
  readonly #chats = new Map<string, ChatState>();

  said(conversation: ConversationId): Said[] {
    const said = this.#said.get(conversation) ?? [];
    this.#said.set(conversation, said);
    return said;
  }

  #chat(who: Uid, conversation: ConversationId): ChatState | undefined {
    return this.#chats.get(`${who} ${conversation}`);
  }

  /** Who may read a conversation from now on, or sees it for the first time. */
  enter(who: Uid, conversation: ConversationId, from: number): void {
    this.#chats.set(`${who} ${conversation}`, { from, read: from, marked: 0, hidden: null });
  }

  leave(who: Uid, conversation: ConversationId): void {
    this.#chats.delete(`${who} ${conversation}`);
  }

  add(
    conversation: ConversationId,
    message: Pick<Said, 'mid' | 'from' | 'content' | 'notice' | 'time'>,
    seenBy: readonly Uid[],
  ): void {
    this.said(conversation).push({ ...message, state: 'unchanged', deletedFor: new Set() });
    for (const who of seenBy) if (!this.#chat(who, conversation)) this.enter(who, conversation, 0);
  }

  /** Reads up to a message, or to the end; never back, but reading removes the person's own mark. */
  read(who: Uid, conversation: ConversationId, upTo: number = this.said(conversation).length): void {
    const chat = this.#chat(who, conversation);
    if (!chat || this.said(conversation).length === 0) return;
    chat.read = Math.max(chat.read, upTo);
    chat.marked = 0;
  }

  /** Reads what was said up to a time, unless that was read before. */
  readUntil(who: Uid, conversation: ConversationId, time: number): void {
    const upTo = this.said(conversation).findLastIndex((said) => said.time <= time) + 1;
    if (upTo > 0 && upTo >= (this.#chat(who, conversation)?.read ?? 0)) this.read(who, conversation, upTo);
  }

  mark(who: Uid, conversation: ConversationId, count: number): void {
    const chat = this.#chat(who, conversation);
    if (chat) chat.marked = count;
  }

  #lastMessage(conversation: ConversationId): number {
    return this.said(conversation).findLastIndex(({ notice }) => !notice) + 1;
  }

  isListed(who: Uid, conversation: ConversationId): boolean {
    const chat = this.#chat(who, conversation);
    if (!chat) return false;
    return chat.hidden === null || this.#lastMessage(conversation) > chat.hidden;
  }

  hide(who: Uid, conversation: ConversationId): void {
    const chat = this.#chat(who, conversation);
    if (!chat) return;
    chat.read = this.said(conversation).length;
    chat.marked = 0;
    chat.hidden = this.#lastMessage(conversation);
  }

  show(who: Uid, conversation: ConversationId): void {
    const chat = this.#chat(who, conversation);
    if (chat) chat.hidden = null;
    else this.enter(who, conversation, 0);
  }

  /** Their number of unread messages. */
  unread(who: Uid, conversation: ConversationId): number {
    const chat = this.#chat(who, conversation);
    if (!chat) return 0;
    const count = this.said(conversation).filter(
      (said, index) =>
        index >= chat.read &&
        index >= chat.from &&
        !said.notice &&
        said.from !== who &&
        said.state === 'unchanged' &&
        !said.deletedFor.has(who),
    ).length;
    return Math.max(count, chat.marked);
  }

  /** What they see of it, oldest first. */
  history(who: Uid, conversation: ConversationId): { mid: number; content: string }[] {
    const from = this.#chat(who, conversation)?.from ?? 0;
    return this.said(conversation)
      .slice(from)
      .filter(({ state, deletedFor }) => state !== 'deleted' && !deletedFor.has(who))
      .map(({ mid, content, state }) => ({ mid, content: state === 'revoked' ? '此消息已撤回' : content }));
  }
}
