import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Chat } from '../../contracts/chat.ts';
import type { Mid, Uid } from '../../contracts/ids.ts';
import { changeChat } from '../../services/commands/change-chat.ts';
import { execute } from '../../services/commands/execute.ts';
import { type Removal, removeMessage } from '../../services/commands/remove-message.ts';
import { groupStream } from '../../services/domain/group.ts';
import * as groups from '../../services/domain/group-commands.ts';
import * as groupMembers from '../../services/domain/group-members.ts';
import { findChats } from '../../services/queries/chats.ts';
import { findTemporaryContacts } from '../../services/queries/contacts.ts';
import { readPage } from '../../services/queries/history.ts';
import type { ListPage } from '../../services/queries/list-page.ts';
import { countUnread } from '../../services/queries/unread.ts';
import { context, makeFriends, register } from '../support/acting.ts';
import { type RunningApplication, startApplication } from '../support/application.ts';
import { between, gid, inGroup } from '../support/events.ts';

let running: RunningApplication;

beforeAll(async () => {
  running = await startApplication();
});

afterAll(() => running.stop());

const person = (name: string) => register(running.application, name);
const friend = (id: Uid): Chat => ({ type: 'friend', id });

async function say(from: Uid, to: Chat, content: string, quoteMid?: Mid): Promise<Mid> {
  const { mid, position } = await running.application.sender.send(
    { from, to, content, quoteMid },
    context(from),
  );
  await running.shown(position);
  return mid;
}

async function change(who: Uid, chat: Chat, changes: Parameters<typeof changeChat>[3]): Promise<void> {
  await changeChat(running.application, who, chat, changes, context(who));
  await running.shown();
}

let lastGid = 500;

async function groupOf(owner: Uid, ...members: Uid[]) {
  const id = gid(++lastGid);
  const mid = await running.application.ids.nextMid();
  await execute(running.application, groupStream(id), context(owner), (state) =>
    groups.createGroup(state, { gid: id, owner, members, mid, name: '群' }),
  );
  await running.shown();
  return id;
}

async function join(group: Parameters<typeof groupStream>[0], who: Uid): Promise<void> {
  const mid = await running.application.ids.nextMid();
  await execute(running.application, groupStream(group), context(who), (state) =>
    groupMembers.joinGroup(state, { uid: who, mid }),
  );
  await running.shown();
}

const all: ListPage = { limit: 1_000, start: 0 };
const chatsIn = (who: Uid, page = all) => findChats(running.application.database, who, page);

const chatsOf = async (who: Uid) => Object.keys(await chatsIn(who));

describe('the list of chats', () => {
  it('is empty at first, and after a friendship without messages', async () => {
    const [one, other] = [await person('甲'), await person('乙')];
    await makeFriends(running.application, one, other);
    await running.shown();
    expect(await chatsOf(one)).toEqual([]);
  });

  it('has the chat for both people, with its last message and the name that each gives the other', async () => {
    const [one, other] = [await person('甲'), await person('乙')];
    await say(one, friend(other), '第一');
    const mid = await say(one, friend(other), '第二');
    const mine = (await chatsIn(one))[`friend${other}`];
    expect(mine).toMatchObject({
      type: 'friend',
      id: other,
      name: '乙',
      unread_count: 0,
      top: 0,
      items: [{ mid, from: `${one}`, to: `${other}`, content: '第二', sub_type: 'message' }],
    });
    const theirs = (await chatsIn(other))[`friend${one}`];
    expect(theirs).toMatchObject({
      name: '甲',
      unread_count: 2,
      items: [{ from: `${one}`, to: `${other}` }],
    });
  });

  it('has pages, each of which goes on where the one before ended', async () => {
    const me = await person('甲');
    const others: Uid[] = [];
    for (const name of ['乙', '丙', '丁', '戊', '己']) {
      const other = await person(name);
      others.push(other);
      await say(other, friend(me), `我是${name}`);
    }
    await change(me, friend(others[0] ?? me), { top: true });
    const group = await groupOf(me, ...others);
    const whole = await chatsOf(me);
    expect(whole).toHaveLength(6);
    expect(whole.slice(0, 2)).toEqual([`friend${others[0]}`, `group${group}`]);
    const pages = await Promise.all(
      [0, 2, 4, 6].map(async (start) => Object.keys(await chatsIn(me, { limit: 2, start }))),
    );
    expect(pages).toEqual([whole.slice(0, 2), whole.slice(2, 4), whole.slice(4), []]);
  });

  it('has a new group at once, with the notice of its creation, which does not count as unread', async () => {
    const [one, other] = [await person('甲'), await person('乙')];
    const group = await groupOf(one, other);
    for (const who of [one, other]) {
      const chats = await chatsIn(who);
      expect(chats[`group${group}`]).toMatchObject({
        type: 'group',
        key: `group-${group}`,
        url: `/pop/group/chat/${group}`,
        name: '群',
        unread_count: 0,
        items: [{ content: '甲创建了群聊,邀请了乙', sub_type: 'notice', name: '甲' }],
      });
    }
  });

  it('has pinned chats first, then the others by their last message', async () => {
    const me = await person('我');
    const others = [await person('甲'), await person('乙'), await person('丙')];
    const group = await groupOf(me);
    for (const other of others) await say(other, friend(me), 'x');
    const [first, second, third] = others.map((other) => `friend${other}`);
    expect(await chatsOf(me)).toEqual([third, second, first, `group${group}`]);
    const [oldest] = others;
    if (oldest === undefined) throw new Error('nobody');
    await change(me, friend(oldest), { top: true });
    expect(await chatsOf(me)).toEqual([first, third, second, `group${group}`]);
    await say(me, { type: 'group', id: group }, 'x');
    expect(await chatsOf(me)).toEqual([first, `group${group}`, third, second]);
    await change(me, friend(oldest), { top: false });
    expect(await chatsOf(me)).toEqual([`group${group}`, third, second, first]);
  });

  it('has a chat that was opened and has no message below all others', async () => {
    const [me, other, third] = [await person('我'), await person('甲'), await person('乙')];
    await say(third, friend(me), 'x');
    await change(me, friend(other), { state: 'chatting' });
    expect(await chatsOf(me)).toEqual([`friend${third}`, `friend${other}`]);
    const chats = await chatsIn(me);
    expect(chats[`friend${other}`]).toMatchObject({ name: '甲', unread_count: 0, items: [] });
    expect(await chatsOf(other)).toEqual([]);
    const { database, presence } = running.application;
    const strangers = await findTemporaryContacts(database, presence, me, all);
    expect(
      Object.values(strangers)
        .flatMap((letter) => Object.keys(letter))
        .map(Number),
    ).toEqual(expect.arrayContaining([other, third]));
    await change(me, friend(other), { state: 'hidden' });
    expect(await chatsOf(me)).toEqual([`friend${third}`]);
  });

  it('shows a hidden chat again with the next message, which alone is unread', async () => {
    const [me, other] = [await person('我'), await person('甲')];
    await say(other, friend(me), '1');
    await change(me, friend(other), { state: 'hidden' });
    expect(await chatsOf(me)).toEqual([]);
    expect(await chatsOf(other)).toEqual([`friend${me}`]);
    await say(other, friend(me), '2');
    const chats = await chatsIn(me);
    expect(chats[`friend${other}`]).toMatchObject({ unread_count: 1, items: [{ content: '2' }] });
  });

  it('has no unread mark on a chat without messages, since nothing could remove it', async () => {
    const [me, other] = [await person('我'), await person('甲')];
    await change(me, friend(other), { unreadCount: 5 });
    expect(await countUnread(running.application.database, me, between(me, other))).toBe(0);
    await say(other, friend(me), '1');
    await change(me, friend(other), { unreadCount: 5 });
    expect(await countUnread(running.application.database, me, between(me, other))).toBe(5);
    await change(me, friend(other), { unreadCount: 0 });
    expect(await countUnread(running.application.database, me, between(me, other))).toBe(0);
  });
});

describe('the last message of a chat', () => {
  const last = async (who: Uid, chat: string) =>
    (await chatsIn(who))[chat]?.items.map(({ content }) => content);

  async function take(taking: Removal, by: Uid, chat: Chat, mid: Mid): Promise<void> {
    await removeMessage(running.application, taking, { by, chat, mid }, context(by));
    await running.shown();
  }

  it('is shown whole, whatever its length', async () => {
    const [one, other] = [await person('甲'), await person('乙')];
    const content = '长'.repeat(2000);
    await say(one, friend(other), content);
    expect(await last(other, `friend${one}`)).toEqual([content]);
  });

  it('says so if it was revoked', async () => {
    const [one, other] = [await person('甲'), await person('乙')];
    await take('revoke', one, friend(other), await say(one, friend(other), '1'));
    expect(await last(other, `friend${one}`)).toEqual(['此消息已撤回']);
  });

  it('is the one before if the last was deleted for all', async () => {
    const [one, other] = [await person('甲'), await person('乙')];
    const first = await say(one, friend(other), '1');
    await take('delete for all', one, friend(other), await say(one, friend(other), '2'));
    for (const [who, whom] of [
      [one, other],
      [other, one],
    ] as const) {
      expect(await last(who, `friend${whom}`)).toEqual(['1']);
    }
    await take('delete for all', one, friend(other), first);
    expect(await last(other, `friend${one}`)).toEqual([]);
    await say(other, friend(one), '3');
    expect(await last(one, `friend${other}`)).toEqual(['3']);
  });

  it('is the one before for a person who deleted the last for themselves', async () => {
    const [one, other] = [await person('甲'), await person('乙')];
    await say(one, friend(other), '1');
    await take('delete for self', other, friend(one), await say(one, friend(other), '2'));
    expect(await last(other, `friend${one}`)).toEqual(['1']);
    expect(await last(one, `friend${other}`)).toEqual(['2']);
    await say(one, friend(other), '3');
    expect(await last(other, `friend${one}`)).toEqual(['3']);
  });

  it('is never one from before the reader joined, whatever was deleted since', async () => {
    const [owner, late] = [await person('主'), await person('新')];
    const group = await groupOf(owner);
    const chat: Chat = { type: 'group', id: group };
    await say(owner, chat, '从前');
    await join(group, late);
    const mid = await say(owner, chat, '现在');
    expect(await last(late, `group${group}`)).toEqual(['现在']);
    await take('delete for all', owner, chat, mid);
    const [notice] = (await chatsIn(late))[`group${group}`]?.items ?? [];
    expect(notice).toMatchObject({ sub_type: 'notice' });
  });
});

describe('pages of history', () => {
  const read = async (reader: Uid, place: Partial<Parameters<typeof readPage>[1]>) => {
    const page = { reader, conversation: between(1, 2), after: 0, before: null, limit: 3, ...place };
    return (await readPage(running.application.database, page)).map(({ sequence, message }) => ({
      sequence,
      content: message.content,
      quote: message.quote_content,
    }));
  };

  it('go back without a gap and without a repeat', async () => {
    const [one, other] = [await person('甲'), await person('乙')];
    for (let index = 1; index <= 8; index++)
      await say(index % 2 ? one : other, friend(index % 2 ? other : one), `${index}`);
    const conversation = between(one, other);
    const contents: string[][] = [];
    let before: number | null = null;
    for (;;) {
      const page: Awaited<ReturnType<typeof read>> = await read(one, { conversation, before });
      if (page.length === 0) break;
      contents.push(page.map(({ content }) => content));
      before = page[0]?.sequence ?? null;
    }
    expect(contents).toEqual([
      ['6', '7', '8'],
      ['3', '4', '5'],
      ['1', '2'],
    ]);
  });

  it('quote nothing from before the reader joined', async () => {
    const [owner, member, late] = [await person('主'), await person('员'), await person('新')];
    const group = await groupOf(owner, member);
    const chat: Chat = { type: 'group', id: group };
    const quoted = await say(owner, chat, '原话');
    await join(group, late);
    await say(member, chat, '引用', quoted);
    const conversation = inGroup(group);
    expect(await read(member, { conversation })).toMatchObject([
      ...[{}, {}],
      { content: '引用', quote: '原话' },
    ]);
    expect(await read(late, { conversation, after: 2 })).toMatchObject([{}, { content: '引用', quote: '' }]);
  });
});
