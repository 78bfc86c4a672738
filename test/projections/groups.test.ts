import { describe, expect, it } from 'vitest';
import type { DomainEvent } from '../../contracts/events/index.ts';
import { created, gid, mid, uid } from '../support/events.ts';
import { testTime } from '../support/projecting.ts';
import { added, groupWorld } from './group-world.ts';

const world = groupWorld();
const { membersOf, groupRow, pushedBy } = world;

describe('a new group', () => {
  it('that was recorded as version 1 is in every member’s list at once, without a message', async () => {
    const pushed = await pushedBy(created(1, '群聊(人2,人3)', 1, 2, 3));
    expect(await groupRow(1)).toEqual({
      gid: '1',
      owner: '1',
      name: '群聊(人2,人3)',
      avatar: null,
      faces: ['1', '2', '3'],
      state: 'normal',
      muted: false,
      created: String(testTime / 1000),
      next_index: '4',
      member_count: '3',
    });
    expect(await membersOf(1)).toEqual([
      { uid: '1', index: '1', role: 'owner', joined_sequence: '0' },
      { uid: '2', index: '2', role: 'member', joined_sequence: '0' },
      { uid: '3', index: '3', role: 'member', joined_sequence: '0' },
    ]);
    expect(
      await world.query(`select uid, hidden_sequence from read.inbox where conversation = 'g1'`),
    ).toHaveLength(3);
    expect(await world.query(`select sequence from read.conversations where conversation = 'g1'`)).toEqual([
      { sequence: '0' },
    ]);
    expect(await world.query(`select 1 from read.messages where conversation = 'g1'`)).toEqual([]);
    const data = { gid: 1, groupname: '群聊(人2,人3)', avatar: '/h5/group/avatar?uid=1,2,3', uid: 1 };
    expect(pushed).toEqual([1, 2, 3].map((id) => [`user-${id}`, 'addGroup', data]));
  });

  it('that was recorded as version 2 has a notice, which is pushed to those invited on their own channels', async () => {
    const event = created(14, '十四群', 1, 2, 3);
    const data = { ...event.data, noticeMid: mid(900) };
    const pushed = await pushedBy({ ...event, data });
    expect(pushed.map(([channel, name]) => [channel, name])).toEqual([
      ...[1, 2, 3].map((id) => [`user-${id}`, 'addGroup']),
      ...['user-2', 'user-3', 'group-14'].map((channel) => [channel, 'message']),
    ]);
    const content = '人1创建了群聊,邀请了人2、人3';
    expect(pushed[0]?.[2]).toMatchObject({ content });
    for (const [, , message] of pushed.slice(3)) {
      expect(message).toMatchObject({ mid: 900, from: '1', to: '14', sub_type: 'notice', content });
    }
    expect(
      await world.query(`select mid, sequence, counted from read.messages where conversation = 'g14'`),
    ).toEqual([{ mid: '900', sequence: '1', counted: '0' }]);
  });

  it('names the first ten people invited in its notice, and counts the rest', async () => {
    const event = created(15, '十五群', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
    const [added] = await pushedBy({ ...event, data: { ...event.data, noticeMid: mid(901) } });
    const names = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map((id) => `人${id}`).join('、');
    expect(added?.[2]).toMatchObject({ content: `人1创建了群聊,邀请了${names}等11人` });
  });
});

describe('the name and the picture of a group', () => {
  it('are pushed to the group under different names', async () => {
    await world.given(created(9, '九群', 1));
    const data = { gid: gid(9), by: uid(1) };
    expect(await pushedBy({ type: 'GroupUpdated', data: { ...data, name: '新名' } })).toEqual([
      ['group-9', 'update', { gid: 9, name: '新名' }],
    ]);
    expect(await pushedBy({ type: 'GroupUpdated', data: { ...data, avatar: '/x.png' } })).toEqual([
      ['group-9', 'updateGroup', { gid: 9, avatar: '/x.png' }],
    ]);
    const joined = await pushedBy(added(9, 1, 2));
    expect(joined.map(([, event]) => event)).toEqual(['addGroup', 'message', 'message']);
    expect(await pushedBy({ type: 'GroupUpdated', data: { ...data, avatar: '' } })).toEqual([
      ['group-9', 'updateGroup', { gid: 9, avatar: '/h5/group/avatar?uid=1,2' }],
    ]);
  });
});

describe('a group that is dissolved', () => {
  const dissolved = (id: number, released: boolean): DomainEvent => ({
    type: 'GroupDissolved',
    data: { gid: gid(id), by: uid(3), released },
  });
  const releasing = (id: number, ...members: number[]): DomainEvent => ({
    type: 'MembersReleased',
    data: { gid: gid(id), members: members.map(uid) },
  });

  it('is pushed to every member, and leaves their lists', async () => {
    await world.given(created(10, '十群', 3, 1, 2), created(11, '十一群', 3, 1, 2));
    const events = [releasing(10, 3, 1), releasing(10, 2), dissolved(10, true)];
    for (const [id, history] of [
      [10, events],
      // As version 1 recorded it.
      [11, [dissolved(11, false), dissolved(11, false)]],
    ] as const) {
      expect(await pushedBy(...history)).toEqual(
        [3, 1, 2].map((member) => [`user-${member}`, 'removeGroup', { gid: id }]),
      );
      expect(await groupRow(id)).toMatchObject({ state: 'dissolved' });
      expect(await membersOf(id)).toEqual([]);
      expect(await world.query('select 1 from read.inbox where conversation = $1', [`g${id}`])).toEqual([]);
    }
  });
});
