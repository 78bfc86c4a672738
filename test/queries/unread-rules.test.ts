import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Chat, conversationOf } from '../../contracts/chat.ts';
import type { Mid, Uid } from '../../contracts/ids.ts';
import { agree, apply } from '../../services/domain/friendship.ts';
import * as groupMembers from '../../services/domain/group-members.ts';
import * as groupMutes from '../../services/domain/group-mutes.ts';
import { findChats } from '../../services/queries/chats.ts';
import { countUnread } from '../../services/queries/unread.ts';
import { type RunningApplication, startApplication } from '../support/application.ts';
import { Company } from '../support/chatting.ts';
import { applicationId } from '../support/events.ts';

/* Rule by rule what counts as unread (docs/behaviour.md, Messages); unread.test.ts tries them all together. */

let running: RunningApplication;

beforeAll(async () => {
  running = await startApplication();
});

afterAll(() => running.stop());

/** Tom owns the group, in which Jerry is too; Spike is not. */
async function meeting() {
  const company = await Company.meet(running, 3);
  const [tom, jerry, spike] = company.people;
  if (tom === undefined || jerry === undefined || spike === undefined) throw new Error('too few people');
  const { group: gid } = company;
  const group: Chat = { type: 'group', id: gid };
  return {
    ...{ company, tom, jerry, spike, group },
    say: async (from: Uid, to: Chat): Promise<Mid> => {
      const mid = await company.say(from, to, 'x');
      if (mid === undefined) throw new Error('it was not sent');
      return mid;
    },
    come: (uid: Uid) => company.change((state, mid) => groupMembers.joinGroup(state, { uid, mid })),
    invite: (uid: Uid) =>
      company.change((state, mid) => groupMembers.addMembers(state, { by: tom, members: [uid], mid })),
    leave: (uid: Uid) => company.change((state) => groupMembers.leaveGroup(state, { uid })),
    remove: (uid: Uid) =>
      company.change((state) => groupMembers.removeMembers(state, { by: tom, members: [uid] })),
    notice: (muted: boolean) =>
      company.change((state, mid) => groupMutes.muteGroup(state, { by: tom, muted, mid })),
  };
}

const friend = (id: Uid): Chat => ({ type: 'friend', id });

/** What is counted, which is what the list shows; 'not listed' for a chat out of sight with nothing unread. */
async function unread(who: Uid, chat: Chat): Promise<number | 'not listed'> {
  const { database } = running.application;
  const count = await countUnread(database, who, conversationOf(who, chat));
  const listed = (await findChats(database, who, { limit: 1_000, start: 0 }))[`${chat.type}${chat.id}`];
  expect(listed?.unread_count ?? 0).toBe(count);
  return listed ? count : 'not listed';
}

describe.each(['between two', 'in a group'] as const)('%s', (where) => {
  async function talking() {
    const met = await meeting();
    const { tom, jerry, group } = met;
    const [toTom, toJerry] = where === 'in a group' ? [group, group] : [friend(tom), friend(jerry)];
    return { ...met, toTom, toJerry };
  }

  it('messages of others are unread and a person’s own are not, in any order', async () => {
    const { tom, jerry, toTom, toJerry, say } = await talking();
    for (const from of [tom, jerry, tom, tom, jerry]) await say(from, from === tom ? toJerry : toTom);
    expect(await unread(jerry, toTom)).toBe(3);
    expect(await unread(tom, toJerry)).toBe(2);
  });

  it('they are counted from the last one read, also if the reader has spoken since', async () => {
    const { company, tom, jerry, toTom, toJerry, say } = await talking();
    const own = await say(jerry, toTom);
    const other = await say(tom, toJerry);
    expect((await company.get(jerry, toTom, 10))?.slice(-2).map(({ mid }) => mid)).toEqual([own, other]);
    await say(tom, toJerry);
    await say(jerry, toTom);
    await say(tom, toJerry);
    expect(await unread(jerry, toTom)).toBe(2);
  });

  it.each(['revoke', 'delete for all'] as const)(
    'what is removed by “%s” does not count, read or unread',
    async (way) => {
      const { company, tom, jerry, toTom, toJerry, say } = await talking();
      const read = await say(tom, toJerry);
      const own = await say(jerry, toTom);
      await company.readAll(jerry, conversationOf(jerry, toTom));
      const first = await say(tom, toJerry);
      const ownSince = await say(jerry, toTom);
      await say(tom, toJerry);
      for (const mid of [read, first]) await company.take(way, tom, toJerry, mid);
      for (const mid of [own, ownSince]) await company.take(way, jerry, toTom, mid);
      expect(await unread(jerry, toTom)).toBe(1);
    },
  );

  it('a message that a person deletes for themselves is not unread for them, and stays unread for others', async () => {
    const { company, tom, jerry, toTom, toJerry, say } = await talking();
    const read = await say(tom, toJerry);
    await company.readAll(jerry, conversationOf(jerry, toTom));
    const [first, own] = [await say(tom, toJerry), await say(jerry, toTom)];
    await say(tom, toJerry);
    for (const mid of [read, first, own]) await company.take('delete for self', jerry, toTom, mid);
    await company.take('delete for self', tom, toJerry, first);
    expect(await unread(jerry, toTom)).toBe(1);
    expect(await unread(tom, toJerry)).toBe(1);
  });

  it('a message that is deleted for one person and then for all is subtracted once', async () => {
    const { company, tom, jerry, toTom, toJerry, say } = await talking();
    const [revoked, deleted] = [await say(tom, toJerry), await say(tom, toJerry)];
    await say(tom, toJerry);
    for (const mid of [revoked, deleted]) await company.take('delete for self', jerry, toTom, mid);
    await company.take('revoke', tom, toJerry, revoked);
    await company.take('delete for all', tom, toJerry, deleted);
    expect(await unread(jerry, toTom)).toBe(1);
  });

  it('a hidden chat has nothing unread; the next message shows it again and is alone unread', async () => {
    const { company, tom, jerry, toTom, toJerry, say } = await talking();
    await say(tom, toJerry);
    await say(tom, toJerry);
    await company.chat(jerry, toTom, { state: 'hidden' });
    expect(await unread(jerry, toTom)).toBe('not listed');
    await say(tom, toJerry);
    expect(await unread(jerry, toTom)).toBe(1);
  });

  it('reading up to a time includes all of that second, except what is sent in it afterwards', async () => {
    const { company, tom, jerry, toTom, toJerry, say } = await talking();
    await say(tom, toJerry);
    company.now += 1;
    const second = company.now;
    for (const from of [tom, jerry, tom]) await say(from, from === tom ? toJerry : toTom);
    company.now += 1;
    await say(tom, toJerry);
    await company.chat(jerry, toTom, { lastReadTime: second - 1 });
    expect(await unread(jerry, toTom)).toBe(3);
    await company.chat(jerry, toTom, { lastReadTime: second });
    expect(await unread(jerry, toTom)).toBe(1);
    await company.readAll(jerry, conversationOf(jerry, toTom));
    await say(tom, toJerry);
    expect(await unread(jerry, toTom)).toBe(1);
    // Time goes back: nothing is unread again.
    await company.chat(jerry, toTom, { lastReadTime: second - 1 });
    expect(await unread(jerry, toTom)).toBe(1);
  });
});

describe('a notice', () => {
  it('does not count as unread, also after it is deleted', async () => {
    const { company, tom, jerry, group, say, notice } = await meeting();
    await say(tom, group);
    const mid = await notice(true);
    if (mid === undefined) throw new Error('no notice was left');
    expect(await unread(jerry, group)).toBe(1);
    await company.take('delete for self', jerry, group, mid);
    expect(await unread(jerry, group)).toBe(1);
  });

  it('does not bring a hidden chat back', async () => {
    const { company, tom, jerry, group, say, notice } = await meeting();
    await say(tom, group);
    await company.chat(jerry, group, { state: 'hidden' });
    await notice(true);
    expect(await unread(jerry, group)).toBe('not listed');
    await say(tom, group);
    expect(await unread(jerry, group)).toBe(1);
  });
});

describe('a member who joins a group', () => {
  it('has nothing unread from before, and everything since', async () => {
    const { tom, spike, group, say, come } = await meeting();
    await say(tom, group);
    await say(tom, group);
    await come(spike);
    expect(await unread(spike, group)).toBe(0);
    await say(tom, group);
    expect(await unread(spike, group)).toBe(1);
  });

  it('again has nothing unread from the time of absence', async () => {
    const { tom, jerry, group, say, come, remove } = await meeting();
    await say(tom, group);
    await remove(jerry);
    expect(await unread(jerry, group)).toBe('not listed');
    await say(tom, group);
    await come(jerry);
    expect(await unread(jerry, group)).toBe(0);
    await say(tom, group);
    expect(await unread(jerry, group)).toBe(1);
  });

  it('again has no message of the first membership counted as their own', async () => {
    const { company, tom, jerry, group, say, invite, leave } = await meeting();
    await say(jerry, group);
    await say(jerry, group);
    await leave(jerry);
    // By an invitation, whose notice is the inviter's.
    await invite(jerry);
    company.now += 1;
    await say(tom, group);
    const second = company.now;
    company.now += 1;
    await say(jerry, group);
    await say(tom, group);
    await company.chat(jerry, group, { lastReadTime: second });
    expect(await unread(jerry, group)).toBe(1);
  });
});

it('the text of agreeing is unread for the person who applied', async () => {
  const { company, tom, jerry } = await meeting();
  const id = applicationId(tom);
  await company.relate(tom, jerry, (state, mid) =>
    apply(state, { from: tom, to: jerry, postscript: '', applicationId: id, mid }),
  );
  await company.relate(jerry, tom, (state, mid) => agree(state, { by: jerry, applicationId: id, mid }));
  expect(await unread(tom, friend(jerry))).toBe(1);
  expect(await unread(jerry, friend(tom))).toBe(0);
});

it('an unread mark is the minimum of the count, until the next reading', async () => {
  const { company, tom, jerry, say } = await meeting();
  await say(tom, friend(jerry));
  await company.chat(jerry, friend(tom), { unreadCount: 2 });
  expect(await unread(jerry, friend(tom))).toBe(2);
  for (let more = 0; more < 2; more++) await say(tom, friend(jerry));
  expect(await unread(jerry, friend(tom))).toBe(3);
  await company.readAll(jerry, conversationOf(jerry, friend(tom)));
  expect(await unread(jerry, friend(tom))).toBe(0);
});
