import { describe, expect, it } from 'vitest';
import type { Uid } from '../../contracts/ids.ts';
import { findTemporaryContacts } from '../../services/queries/contacts.ts';
import { countUnread } from '../../services/queries/unread.ts';
import { makeFriends } from '../support/acting.ts';
import { between } from '../support/events.ts';
import { all, change, chatsIn, friend, groupOf, person, running, say } from './chats-harness.ts';

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

  it('has pages, each of which continues the one before', async () => {
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
