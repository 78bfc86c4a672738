import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DomainEvent } from '../../contracts/events/index.ts';
import { groupStream } from '../../services/domain/group.ts';
import { created, gid, mid, registered, uid } from '../support/events.ts';
import { newEventId, openWorld, testTime, type World } from '../support/projecting.ts';

let world: World;

beforeAll(async () => {
  world = await openWorld();
  for (let id = 1; id <= 15; id++) await world.given(registered(id, `人${id}`));
});

afterAll(() => world.close());

/** What the last notice of a group says, in its conversation, its list entry and its push, which are one. */
async function lastNotice(group: number): Promise<string | undefined> {
  await world.project();
  const [message] = await world.query<{ content: string }>(
    `select content from read.messages where conversation = $1 order by sequence desc limit 1`,
    [`g${group}`],
  );
  const [conversation] = await world.query<{ content: string }>(
    'select newest_content as content from read.conversations where conversation = $1',
    [`g${group}`],
  );
  const pushes = (await world.pushes()).filter(
    ({ channel, event }) => channel === `group-${group}` && event === 'message',
  );
  expect(conversation?.content).toBe(message?.content);
  expect(pushes.at(-1)?.data.content).toBe(message?.content);
  return message?.content;
}

const renamed = (who: number, nickname: string): DomainEvent => ({
  type: 'ProfileChanged',
  data: { uid: uid(who), nickname },
});
const groupName = async (group: number) =>
  (await world.query<{ name: string }>('select name from read.groups where gid = $1', [group]))[0]?.name;

/** A group of 1, 2 and 3. */
async function givenGroup(group: number): Promise<void> {
  await world.given(created(group, '群', 1, 2, 3));
}

describe('a notice', () => {
  const noticeMid = () => mid(newMid++);
  let newMid = 2000;

  it.each<[string, (of: { gid: ReturnType<typeof gid>; noticeMid: ReturnType<typeof mid> }) => DomainEvent]>([
    [
      '人2邀请人4、人5加入了群聊',
      (of) => ({ type: 'MembersAdded', data: { ...of, by: uid(2), members: [4, 5].map(uid) } }),
    ],
    ['人4加入了群聊', (of) => ({ type: 'MemberJoined', data: { ...of, uid: uid(4) } })],
    [
      '人3被人1禁言',
      (of) => ({ type: 'MemberMuted', data: { ...of, by: uid(1), uid: uid(3), until: 2_000_000_000 } }),
    ],
    ['人3被人1解除禁言', (of) => ({ type: 'MemberUnmuted', data: { ...of, by: uid(1), uid: uid(3) } })],
    ['人1开启了全体禁言', (of) => ({ type: 'GroupMuted', data: { ...of, by: uid(1) } })],
    ['人1解除了全体禁言', (of) => ({ type: 'GroupUnmuted', data: { ...of, by: uid(1) } })],
  ])('says 「%s」', async (sentence, eventOf) => {
    const group = 100 + newMid;
    await givenGroup(group);
    await world.given(eventOf({ gid: gid(group), noticeMid: noticeMid() }));
    expect(await lastNotice(group)).toBe(sentence);
  });

  it('names ten of many, counts the rest, and names people without a registration by their uid', async () => {
    await givenGroup(51);
    const members = [100, ...[4, 5, 6, 7, 8, 9, 10, 11, 12], 13, 14].map(uid);
    await world.given({
      type: 'MembersAdded',
      data: { gid: gid(51), by: uid(1), members, noticeMid: noticeMid() },
    });
    const names = ['100', ...[4, 5, 6, 7, 8, 9, 10, 11, 12].map((id) => `人${id}`)].join('、');
    expect(await lastNotice(51)).toBe(`人1邀请${names}等12人加入了群聊`);
  });

  it('has the nicknames of its moment: earlier changes are in it, later ones are not', async () => {
    await givenGroup(52);
    const muted = (by: number): DomainEvent => ({
      type: 'GroupMuted',
      data: { gid: gid(52), by: uid(by), noticeMid: noticeMid() },
    });
    await world.given(renamed(15, '新名'), muted(15), renamed(15, '更新的名'));
    expect(await lastNotice(52)).toBe('新名开启了全体禁言');
    await world.given(muted(15));
    expect(await lastNotice(52)).toBe('更新的名开启了全体禁言');
  });

  it('of version 1 says what that recorded, under the same mid', async () => {
    await givenGroup(53);
    const data = {
      gid: 53,
      by: 1,
      uid: 3,
      until: 2_000_000_000,
      notice: { mid: 1999, content: '旧名被禁言' },
    };
    const metadata = { time: testTime, actor: 'server', version: 1, $correlationId: 'c', $causationId: 'c' };
    await world.log.append(groupStream(gid(53)).name, 'any', [
      { id: newEventId(), type: 'MemberMuted', data, metadata },
    ]);
    expect(await lastNotice(53)).toBe('旧名被禁言');
    expect(await world.query(`select mid from read.messages where conversation = 'g53'`)).toEqual([
      { mid: '1999' },
    ]);
  });
});

describe('the name of a group that nobody named', () => {
  const unnamed = (group: number, ...members: number[]): DomainEvent => ({
    type: 'GroupCreated',
    data: { ...created(group, '', 1).data, members: members.map(uid), name: null },
  });

  it('is made of the nicknames of its first nine members', async () => {
    await world.given(unnamed(61, 1, 2, 3), unnamed(62, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));
    await world.project();
    expect(await groupName(61)).toBe('群聊(人1,人2,人3)');
    expect(await groupName(62)).toBe('群聊(人1,人2,人3,人4,人5,人6,人7,人8,人9)');
  });

  it('keeps the nicknames of that moment', async () => {
    await world.given(renamed(14, '先'), unnamed(63, 14, 1), renamed(14, '后'));
    await world.project();
    expect(await groupName(63)).toBe('群聊(先,人1)');
  });

  it('is cut at 255 bytes between two characters, and still closes', async () => {
    for (const [index, letter] of ['猫', 'a', '😀', 'é'].entries()) {
      const members = Array.from({ length: 9 }, (_, member) => 1000 + 10 * index + member);
      for (const member of members) await world.given(registered(member, letter.repeat(64)));
      await world.given(unnamed(70 + index, ...members));
      await world.project();
      const name = (await groupName(70 + index)) ?? '';
      const bytes = Buffer.byteLength(name);
      expect(bytes, letter).toBeLessThanOrEqual(255);
      expect(bytes, letter).toBeGreaterThan(251);
      expect(name.endsWith(')'), letter).toBe(true);
      expect(name.isWellFormed(), letter).toBe(true);
    }
  });
});
