import { expect } from 'vitest';
import { type Chat, conversationOf } from '../../contracts/chat.ts';
import { type ConversationId, groupConversation, type Mid, type Uid } from '../../contracts/ids.ts';
import * as friendships from '../../services/domain/friendship.ts';
import * as groupMembers from '../../services/domain/group-members.ts';
import * as groupMutes from '../../services/domain/group-mutes.ts';
import { findChats } from '../../services/queries/chats.ts';
import type { ReadDatabase } from '../../services/queries/tables.ts';
import { countUnread } from '../../services/queries/unread.ts';
import type { Company } from '../support/chatting.ts';
import { applicationId } from '../support/events.ts';
import { Recollection } from '../support/recollection.ts';

/**
 * People who act by the commands, as requests carry them out, and beside them a memory that counts one by one.
 */
export class History {
  readonly company: Company;
  readonly memory = new Recollection();
  readonly #members = new Set<Uid>();
  readonly #group: ConversationId;
  #applications = 0;
  #said = 0;

  constructor(company: Company) {
    this.company = company;
    this.#group = groupConversation(company.group);
    for (const member of company.people.slice(0, 2)) {
      this.#members.add(member);
      this.memory.enter(member, this.#group, 0);
    }
    this.#notice(company.creationMid, this.person(0));
  }

  person(index: number): Uid {
    const person = this.company.people[index];
    if (person === undefined) throw new RangeError(`nobody ${index}`);
    return person;
  }

  chat(one: number, to: number): Chat {
    return one === to ? { type: 'group', id: this.company.group } : { type: 'friend', id: this.person(to) };
  }

  #place(one: number, to: number): { me: Uid; chat: Chat; conversation: ConversationId } {
    const me = this.person(one);
    const chat = this.chat(one, to);
    return { me, chat, conversation: conversationOf(me, chat) };
  }

  #remember(
    conversation: ConversationId,
    mid: Mid,
    from: Uid,
    content: string,
    seenBy: readonly Uid[],
  ): void {
    this.memory.add(conversation, { mid, from, content, notice: false, time: this.company.now }, seenBy);
  }

  #notice(mid: Mid, from: Uid): void {
    const time = this.company.now;
    this.memory.add(this.#group, { mid, from, content: '', notice: true, time }, []);
  }

  async tick(seconds: number): Promise<void> {
    this.company.now += seconds;
  }

  async say(one: number, to: number): Promise<void> {
    const { me, chat, conversation } = this.#place(one, to);
    const content = `${++this.#said}`;
    const mid = await this.company.say(me, chat, content);
    if (chat.type === 'friend') expect(mid).toBeDefined();
    if (mid !== undefined) {
      this.#remember(conversation, mid, me, content, chat.type === 'friend' ? [me, chat.id] : []);
    }
  }

  async get(one: number, to: number, limit: number): Promise<void> {
    const { me, chat, conversation } = this.#place(one, to);
    const shown = await this.company.get(me, chat, limit);
    expect(shown !== undefined).toBe(chat.type === 'friend' || this.#members.has(me));
    if (!shown) return;
    const wanted = this.memory.history(me, conversation).slice(-limit);
    expect(shown.map(({ mid }) => mid)).toEqual(wanted.map(({ mid }) => mid));
    const newest = wanted.at(-1)?.mid;
    const said = this.memory.said(conversation);
    this.memory.read(me, conversation, said.findIndex(({ mid }) => mid === newest) + 1);
  }

  async readAll(one: number, to: number): Promise<void> {
    const { me, conversation } = this.#place(one, to);
    await this.company.readAll(me, conversation);
    this.memory.read(me, conversation);
  }

  async readUntil(one: number, to: number, ago: number): Promise<void> {
    const { me, chat, conversation } = this.#place(one, to);
    const until = this.company.now - ago;
    if (!(await this.company.chat(me, chat, { lastReadTime: until }))) return;
    this.memory.readUntil(me, conversation, until);
  }

  async mark(one: number, to: number, count: number): Promise<void> {
    const { me, chat, conversation } = this.#place(one, to);
    if (!this.memory.isListed(me, conversation) || this.memory.said(conversation).length === 0) return;
    await this.company.chat(me, chat, { unreadCount: count });
    this.memory.mark(me, conversation, count);
  }

  async take(
    taking: 'revoke' | 'delete for self' | 'delete for all',
    one: number,
    to: number,
    ago: number,
  ): Promise<void> {
    const { me, chat, conversation } = this.#place(one, to);
    const said = this.memory.said(conversation).at(-1 - ago);
    if (!said || !(await this.company.take(taking, me, chat, said.mid as Mid))) return;
    if (taking === 'delete for self') said.deletedFor.add(me);
    else said.state = taking === 'revoke' ? 'revoked' : 'deleted';
  }

  async hide(one: number, to: number): Promise<void> {
    const { me, chat, conversation } = this.#place(one, to);
    if (!(await this.company.chat(me, chat, { state: 'hidden' }))) return;
    if (this.memory.isListed(me, conversation)) this.memory.hide(me, conversation);
  }

  async show(one: number, to: number): Promise<void> {
    const { me, chat, conversation } = this.#place(one, to);
    if (await this.company.chat(me, chat, { state: 'chatting' })) this.memory.show(me, conversation);
  }

  async come(one: number, invited: boolean): Promise<void> {
    const [me, owner] = [this.person(one), this.person(0)];
    const mid = await this.company.change((state, fresh) =>
      invited
        ? groupMembers.addMembers(state, { by: owner, members: [me], mid: fresh })
        : groupMembers.joinGroup(state, { uid: me, mid: fresh }),
    );
    expect(mid !== undefined).toBe(!this.#members.has(me));
    if (mid === undefined) return;
    this.#members.add(me);
    this.memory.enter(me, this.#group, this.memory.said(this.#group).length);
    this.#notice(mid, invited ? owner : me);
  }

  async go(one: number, removed: boolean): Promise<void> {
    const [me, owner] = [this.person(one), this.person(0)];
    if (me === owner) return;
    await this.company.change((state) =>
      removed
        ? groupMembers.removeMembers(state, { by: owner, members: [me] })
        : groupMembers.leaveGroup(state, { uid: me }),
    );
    this.#members.delete(me);
    this.memory.leave(me, this.#group);
  }

  async muteAll(on: boolean): Promise<void> {
    const by = this.person(0);
    const mid = await this.company.change((state, fresh) =>
      groupMutes.muteGroup(state, { by, muted: on, mid: fresh }),
    );
    if (mid !== undefined) this.#notice(mid, by);
  }

  async askAndAgree(one: number, to: number): Promise<void> {
    if (one === to) return;
    const [me, other] = [this.person(one), this.person(to)];
    // The application's id is of these two people alone, and new.
    const id = applicationId(me * 1_000_000 + other * 1_000 + ++this.#applications);
    await this.company.relate(me, other, (state, mid) =>
      friendships.apply(state, { from: me, to: other, postscript: '', applicationId: id, mid }),
    );
    const agreed = await this.company.relate(other, me, (state, mid) =>
      state.friends ? [] : friendships.agree(state, { by: other, applicationId: id, mid }),
    );
    if (!agreed) return;
    const { chat, conversation } = this.#place(one, to);
    const seenBy = chat.type === 'friend' ? [me, chat.id] : [];
    this.#remember(conversation, agreed.mid, other, friendships.agreeText, seenBy);
  }

  async unfriend(one: number, to: number): Promise<void> {
    if (one === to) return;
    const { me, conversation } = this.#place(one, to);
    const other = this.person(to);
    const ended = await this.company.relate(me, other, (state) =>
      friendships.unfriend(state, { by: me, friend: other }),
    );
    if (!ended) return;
    this.memory.hide(me, conversation);
    this.memory.hide(other, conversation);
  }

  /** Compares the lists and unread counts of everybody with the memory. */
  async check(database: ReadDatabase): Promise<void> {
    const howMany = this.company.people.length;
    for (let one = 0; one < howMany; one++) {
      const chats = await findChats(database, this.person(one), { limit: 1_000, start: 0 });
      for (let to = 0; to < howMany; to++) {
        const { me, chat, conversation } = this.#place(one, to);
        const unread = this.memory.unread(me, conversation);
        const name = `unread of person ${one} with ${to}`;
        expect(await countUnread(database, me, conversation), name).toBe(unread);
        const listed = chats[`${chat.type}${chat.id}`];
        expect(listed !== undefined, `chat of person ${one} with ${to}`).toBe(
          this.memory.isListed(me, conversation),
        );
        if (!listed) continue;
        expect(listed.unread_count, name).toBe(unread);
        const last = this.memory.history(me, conversation).at(-1);
        expect(listed.items.map(({ mid }) => mid)).toEqual(last ? [last.mid] : []);
      }
    }
  }
}
