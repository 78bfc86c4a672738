import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Gid, Mid, Uid } from '../../contracts/ids.ts';
import { execute } from '../../services/commands/execute.ts';
import { markRead } from '../../services/commands/reading.ts';
import { removeMessage } from '../../services/commands/remove-message.ts';
import { friendshipStream, remark } from '../../services/domain/friendship.ts';
import { type GroupState, groupStream } from '../../services/domain/group.ts';
import * as groups from '../../services/domain/group-commands.ts';
import * as groupMembers from '../../services/domain/group-members.ts';
import { findGroups } from '../../services/queries/chats.ts';
import { findGroupDetail, findMembers } from '../../services/queries/groups.ts';
import { context, makeFriends, register } from '../support/acting.ts';
import { type RunningApplication, startApplication } from '../support/application.ts';
import { gid, inGroup } from '../support/events.ts';

let running: RunningApplication;

beforeAll(async () => {
  running = await startApplication();
});

afterAll(() => running.stop());

const person = (name: string) => register(running.application, name);

async function change(
  id: Gid,
  decide: (state: GroupState, mid: Mid) => ReturnType<typeof groups.dissolveGroup>,
): Promise<void> {
  const mid = await running.application.ids.nextMid();
  await execute(running.application, groupStream(id), context('server'), (state) => decide(state, mid));
  await running.shown();
}

let lastGid = 900;

async function groupOf(owner: Uid, ...members: Uid[]): Promise<Gid> {
  const id = gid(++lastGid);
  const mid = await running.application.ids.nextMid();
  await change(id, (state) => groups.createGroup(state, { gid: id, owner, members, mid, name: '群' }));
  return id;
}

async function say(from: Uid, group: Gid, content: string): Promise<Mid> {
  const message = { from, to: { type: 'group', id: group }, content } as const;
  const { mid, position } = await running.application.sender.send(message, context(from));
  await running.shown(position);
  return mid;
}

describe('the members of a group', () => {
  const page = async (reader: Uid, group: Gid, from: number, limit: number) =>
    (await findMembers(running.application.database, reader, group, { from, limit })).map(
      ({ uid, index }) => [uid, index],
    );

  it('come in pages by their index, which is never given twice', async () => {
    const people: Uid[] = [];
    for (let index = 0; index < 5; index++) people.push(await person(`人${index}`));
    const [owner, second, third, fourth, fifth] = people;
    if (!owner || !second || !third || !fourth || !fifth) throw new Error('too few');
    const group = await groupOf(owner, second, third, fourth);
    expect(await page(owner, group, 0, 2)).toEqual([
      [owner, 1],
      [second, 2],
    ]);
    expect(await page(owner, group, 3, 2)).toEqual([
      [third, 3],
      [fourth, 4],
    ]);
    await change(group, (state) => groupMembers.removeMembers(state, { by: owner, members: [second] }));
    await change(group, (state, mid) =>
      groupMembers.addMembers(state, { by: owner, members: [fifth, second], mid }),
    );
    expect(await page(owner, group, 0, 10)).toEqual([
      [owner, 1],
      [third, 3],
      [fourth, 4],
      [fifth, 5],
      [second, 6],
    ]);
  });

  it('have the names that the reader gives them', async () => {
    const [owner, friend, stranger] = [await person('主'), await person('友'), await person('生')];
    const group = await groupOf(owner, friend, stranger);
    await makeFriends(running.application, owner, friend);
    await execute(running.application, friendshipStream(owner, friend), context(owner), (state) =>
      remark(state, { by: owner, friend, remark: '老友' }),
    );
    await running.shown();
    const { database } = running.application;
    expect(await findMembers(database, owner, group, { from: 0, limit: 10 })).toMatchObject([
      { name: '主', nickname: '主', remark: '' },
      { name: '老友', nickname: '友', remark: '老友' },
      { name: '生', nickname: '生', remark: '' },
    ]);
    expect(await findMembers(database, friend, group, { from: 0, limit: 10 })).toMatchObject([
      { name: '主' },
      { name: '友' },
      { name: '生' },
    ]);
  });
});

describe('a group in detail', () => {
  const detail = (reader: Uid, group: Gid, parts: { members?: boolean; mentions?: boolean } = {}) =>
    findGroupDetail(running.application.database, reader, group, {
      withMembers: parts.members ?? false,
      withMentions: parts.mentions ?? false,
    });

  it('is shown to its members only', async () => {
    const [owner, stranger] = [await person('主'), await person('生')];
    const group = await groupOf(owner);
    expect(await detail(stranger, group)).toBeUndefined();
    expect(await detail(owner, group)).toMatchObject({ info: { gid: group, uid: owner, state: 'normal' } });
  });

  it('shows up to fifteen members, and only if they are asked for', async () => {
    const owner = await person('主');
    const many: Uid[] = [];
    for (let index = 0; index < 16; index++) many.push(await person('员'));
    const group = await groupOf(owner, ...many);
    expect(await detail(owner, group)).not.toHaveProperty('members');
    const shown = await detail(owner, group, { members: true });
    expect(Object.keys(shown?.members ?? {}).map(Number)).toEqual([owner, ...many.slice(0, 14)]);
  });

  it('has the name that the reader gives it', async () => {
    const [owner, member] = [await person('主'), await person('员')];
    const group = await groupOf(owner, member);
    await change(group, (state) => groups.remarkGroup(state, { uid: member, remark: '家' }));
    expect((await detail(member, group))?.info.remark).toBe('家');
    expect((await detail(owner, group))?.info.remark).toBe('群');
    expect(await findGroups(running.application.database, member)).toMatchObject([
      { gid: group, name: '家' },
    ]);
  });

  it('shows the reader’s unread mentions, newest first', async () => {
    const [owner, member, other] = [await person('主'), await person('员'), await person('外')];
    const group = await groupOf(owner, member, other);
    const mentions = async (reader = member) =>
      (await detail(reader, group, { mentions: true }))?.at?.map(({ mid }) => mid);
    const own = await say(owner, group, `@[员](${member}) 一`);
    await say(owner, group, `@[外](${other}) 二`);
    const all = await say(owner, group, '@all 三');
    await say(member, group, '@all 四');
    expect(await mentions()).toEqual([all, own]);
    expect(await mentions(owner)).toEqual([]);
    const [first] = (await detail(member, group, { mentions: true }))?.at ?? [];
    expect(first).toMatchObject({ mid: all, from: `${owner}`, name: '主', content: '@all 三' });

    const taken = { by: owner, chat: { type: 'group', id: group }, mid: all } as const;
    await running.shown(await removeMessage(running.application, 'revoke', taken, context(owner)));
    expect(await mentions()).toEqual([own]);
    await running.shown(await markRead(running.application, member, inGroup(group), {}, context(member)));
    expect(await mentions()).toEqual([]);
    const [later] = [await say(other, group, `@[员](${member}) 五`)];
    expect(await mentions()).toEqual([later]);
  });

  it('shows no mention from before the reader joined', async () => {
    const [owner, member] = [await person('主'), await person('员')];
    const group = await groupOf(owner, member);
    await say(owner, group, '@all 一');
    await change(group, (state) => groupMembers.leaveGroup(state, { uid: member }));
    await change(group, (state, mid) => groupMembers.joinGroup(state, { uid: member, mid }));
    expect((await detail(member, group, { mentions: true }))?.at).toEqual([]);
  });

  it('shows up to twenty mentions', async () => {
    const [owner, member] = [await person('主'), await person('员')];
    const group = await groupOf(owner, member);
    for (let index = 0; index < 22; index++) await say(owner, group, `@all ${index}`);
    expect((await detail(member, group, { mentions: true }))?.at?.map(({ content }) => content)).toEqual(
      Array.from({ length: 20 }, (_, index) => `@all ${21 - index}`),
    );
  });
});

describe('the groups of a person', () => {
  it('are those that they are in, without dissolved ones', async () => {
    const [owner, member] = [await person('主'), await person('员')];
    const [first, second, third] = [
      await groupOf(owner, member),
      await groupOf(owner, member),
      await groupOf(owner),
    ];
    const of = async (who: Uid) =>
      (await findGroups(running.application.database, who)).map((group) => group.gid);
    expect(await of(member)).toEqual([first, second]);
    expect(await of(owner)).toEqual([first, second, third]);
    await change(first, (state) => groups.dissolveGroup(state, { by: owner }));
    await change(second, (state) => groupMembers.leaveGroup(state, { uid: member }));
    expect(await of(member)).toEqual([]);
    expect(await of(owner)).toEqual([second, third]);
  });
});
