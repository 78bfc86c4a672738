import type { ConversationId, Uid } from '../../contracts/ids.ts';

/** Something that was said, as one who counts with a pencil remembers it. */
export interface Said {
  readonly mid: number;
  readonly from: Uid;
  readonly content: string;
  readonly notice: boolean;
  readonly time: number;
  fate: 'stands' | 'revoked' | 'deleted';
  readonly deletedFor: Set<Uid>;
}

/** The state of a chat for one person: places count the messages of the conversation. */
interface Standing {
  /** The place from which on they may read. */
  readonly from: number;
  read: number;
  marked: number;
  /** In sight again only by a message after this place; null: in sight. */
  hidden: number | null;
}

/** All that was said, and how far everyone has read; everything is counted one by one. */
export class Recollection {
  readonly #said = new Map<ConversationId, Said[]>();
  readonly #standings = new Map<string, Standing>();

  said(conversation: ConversationId): Said[] {
    const said = this.#said.get(conversation) ?? [];
    this.#said.set(conversation, said);
    return said;
  }

  #standing(who: Uid, conversation: ConversationId): Standing | undefined {
    return this.#standings.get(`${who} ${conversation}`);
  }

  /** Who may read a conversation from now on, or sees it for the first time. */
  enter(who: Uid, conversation: ConversationId, from: number): void {
    this.#standings.set(`${who} ${conversation}`, { from, read: from, marked: 0, hidden: null });
  }

  leave(who: Uid, conversation: ConversationId): void {
    this.#standings.delete(`${who} ${conversation}`);
  }

  add(
    conversation: ConversationId,
    message: Pick<Said, 'mid' | 'from' | 'content' | 'notice' | 'time'>,
    seenBy: readonly Uid[],
  ): void {
    this.said(conversation).push({ ...message, fate: 'stands', deletedFor: new Set() });
    for (const who of seenBy) if (!this.#standing(who, conversation)) this.enter(who, conversation, 0);
  }

  /** Reads up to a place, or to the end; never back, but reading removes the person's own mark. */
  read(who: Uid, conversation: ConversationId, upTo: number = this.said(conversation).length): void {
    const standing = this.#standing(who, conversation);
    if (!standing || this.said(conversation).length === 0) return;
    standing.read = Math.max(standing.read, upTo);
    standing.marked = 0;
  }

  /** Reads what was said up to a time, unless that was read before. */
  readUntil(who: Uid, conversation: ConversationId, time: number): void {
    const upTo = this.said(conversation).findLastIndex((said) => said.time <= time) + 1;
    if (upTo > 0 && upTo >= (this.#standing(who, conversation)?.read ?? 0))
      this.read(who, conversation, upTo);
  }

  mark(who: Uid, conversation: ConversationId, count: number): void {
    const standing = this.#standing(who, conversation);
    if (standing) standing.marked = count;
  }

  #lastMessage(conversation: ConversationId): number {
    return this.said(conversation).findLastIndex(({ notice }) => !notice) + 1;
  }

  inSight(who: Uid, conversation: ConversationId): boolean {
    const standing = this.#standing(who, conversation);
    if (!standing) return false;
    return standing.hidden === null || this.#lastMessage(conversation) > standing.hidden;
  }

  hide(who: Uid, conversation: ConversationId): void {
    const standing = this.#standing(who, conversation);
    if (!standing) return;
    standing.read = this.said(conversation).length;
    standing.marked = 0;
    standing.hidden = this.#lastMessage(conversation);
  }

  show(who: Uid, conversation: ConversationId): void {
    const standing = this.#standing(who, conversation);
    if (standing) standing.hidden = null;
    else this.enter(who, conversation, 0);
  }

  /** Their number of unread messages. */
  unread(who: Uid, conversation: ConversationId): number {
    const standing = this.#standing(who, conversation);
    if (!standing) return 0;
    const count = this.said(conversation).filter(
      (said, index) =>
        index >= standing.read &&
        index >= standing.from &&
        !said.notice &&
        said.from !== who &&
        said.fate === 'stands' &&
        !said.deletedFor.has(who),
    ).length;
    return Math.max(count, standing.marked);
  }

  /** What they see of it, oldest first. */
  history(who: Uid, conversation: ConversationId): { mid: number; content: string }[] {
    const from = this.#standing(who, conversation)?.from ?? 0;
    return this.said(conversation)
      .slice(from)
      .filter(({ fate, deletedFor }) => fate !== 'deleted' && !deletedFor.has(who))
      .map(({ mid, content, fate }) => ({ mid, content: fate === 'revoked' ? '此消息已撤回' : content }));
  }
}
