import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DomainEvent } from '../../contracts/events/index.ts';
import type { Uid } from '../../contracts/ids.ts';
import { projectionsByType } from '../../projections/index.ts';
import { fold } from '../../services/domain/aggregate.ts';
import { group } from '../../services/domain/group.ts';
import * as groups from '../../services/domain/group-commands.ts';
import { type Decoded, decode, encode } from '../../services/log/codec.ts';
import { startOfLog } from '../../services/log/log.ts';
import { created, gid, inGroup, mid, registered, sent, uid } from '../support/events.ts';
import { newEventId, openWorld, streamOf, testTime, type World } from '../support/projecting.ts';
import { recordedAs } from '../support/recorded.ts';

let world: World;

beforeAll(async () => {
  world = await openWorld();
  for (let id = 1; id <= 12; id++) await world.given(registered(id, `人${id}`));
});

afterAll(() => world.close());

let lastMid = 1000;
const notice = (content: string) => ({ mid: mid(++lastMid), content });

function added(group: number, by: number, ...members: number[]): DomainEvent {
  const data = { gid: gid(group), by: uid(by), members: members.map(uid), notice: notice('邀请') };
  return { type: 'MembersAdded', data };
}

/** As version 1 recorded it, or with the members who make the picture then. */
function left(group: number, who: number, faces: readonly number[] | null = null): DomainEvent {
  return { type: 'MemberLeft', data: { gid: gid(group), uid: uid(who), faces: faces?.map(uid) ?? null } };
}

const membersOf = (group: number) =>
  world.query(
    'select uid, index, role, joined_sequence from read.group_members where gid = $1 order by index',
    [group],
  );
const groupRow = async (group: number) =>
  (await world.query<Record<string, unknown>>('select * from read.groups where gid = $1', [group]))[0];

/** Appends and projects events, and answers what they pushed: channel, event, data. */
async function pushedBy(...events: DomainEvent[]) {
  const before = await world.log.end();
  await world.given(...events);
  await world.project();
  return (await world.pushes(before)).map(({ channel, event, data }) => [channel, event, data] as const);
}

describe('creating a group', () => {
  it('of version 1 puts it into every member\u2019s list at once, without a message', async () => {
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

  it('leaves a notice of version 2, which those who were invited hear on their own channel', async () => {
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

  it('names ten of many who were invited, and counts the rest', async () => {
    const event = created(15, '十五群', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
    const [added] = await pushedBy({ ...event, data: { ...event.data, noticeMid: mid(901) } });
    const names = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map((id) => `人${id}`).join('、');
    expect(added?.[2]).toMatchObject({ content: `人1创建了群聊,邀请了${names}等11人` });
  });
});

describe('joining a group', () => {
  it('tells the new, leaves a notice, and changes the picture, in this order', async () => {
    await world.given(created(2, '二群', 1, 2), sent(inGroup(2), 1, 10, '旧'), sent(inGroup(2), 2, 11, '旧'));
    const pushed = await pushedBy(added(2, 2, 3, 4, 1));
    expect(pushed.map(([channel, event]) => [channel, event])).toEqual([
      ['user-3', 'addGroup'],
      ['user-4', 'addGroup'],
      ['user-3', 'message'],
      ['user-4', 'message'],
      ['group-2', 'message'],
      ['group-2', 'updateGroup'],
    ]);
    const avatar = '/h5/group/avatar?uid=1,2,3,4';
    expect(pushed[0]?.[2]).toEqual({ gid: 2, groupname: '二群', avatar, uid: 2, content: '邀请' });
    expect(pushed[2]?.[2]).toEqual(expect.objectContaining({ mid: lastMid, sub_type: 'notice' }));
    expect(pushed[4]?.[2]).toMatchObject({
      mid: lastMid,
      from: '2',
      sub_type: 'notice',
      content: '邀请',
      to_avatar: avatar,
    });
    expect(pushed[5]?.[2]).toEqual({ gid: 2, avatar });
    expect((await membersOf(2)).slice(2)).toEqual([
      { uid: '3', index: '3', role: 'member', joined_sequence: '2' },
      { uid: '4', index: '4', role: 'member', joined_sequence: '2' },
    ]);
    expect(
      await world.query(
        `select sequence, sub_type, counted, own from read.messages where conversation = 'g2' order by 1`,
      ),
    ).toEqual([
      { sequence: '1', sub_type: 'message', counted: '1', own: '1' },
      { sequence: '2', sub_type: 'message', counted: '2', own: '1' },
      { sequence: '3', sub_type: 'notice', counted: '2', own: '1' },
    ]);
    expect(
      await world.query(`select last_message_sequence from read.conversations where conversation = 'g2'`),
    ).toEqual([{ last_message_sequence: '2' }]);
    expect(await groupRow(2)).toMatchObject({ name: '二群', member_count: '4', next_index: '5' });
    expect(
      await world.query(
        `select m.joined_place = c.last_place as same
           from read.group_members m join read.conversations c on c.conversation = 'g2'
          where m.gid = 2 and m.uid = 3`,
      ),
    ).toEqual([{ same: true }]);
  });

  it('by oneself does the same', async () => {
    const pushed = await pushedBy(created(3, '三群', 1), {
      type: 'MemberJoined',
      data: { gid: gid(3), uid: uid(5), notice: notice('加入') },
    });
    expect(pushed.slice(1).map(([channel, event]) => [channel, event])).toEqual([
      ['user-5', 'addGroup'],
      ['user-5', 'message'],
      ['group-3', 'message'],
      ['group-3', 'updateGroup'],
    ]);
  });

  it('leaves the picture as it is once nine faces show', async () => {
    const pushed = await pushedBy(created(4, '四群', 1, 2, 3, 4, 5, 6, 7, 8, 9), added(4, 1, 10));
    expect(pushed.map(([, event]) => event)).not.toContain('updateGroup');
    expect(await groupRow(4)).toMatchObject({ faces: ['1', '2', '3', '4', '5', '6', '7', '8', '9'] });
  });

  it('does not show a chat again that a member has hidden', async () => {
    await world.given(
      created(5, '五群', 1, 2),
      sent(inGroup(5), 1, 20, 'x'),
      { type: 'ChatHidden', data: { uid: uid(2), conversation: inGroup(5) } },
      added(5, 1, 3),
    );
    await world.project();
    expect(
      await world.query(
        `select c.last_message_sequence <= i.hidden_sequence as hidden
           from read.inbox i join read.conversations c using (conversation)
          where conversation = 'g5' and uid = 2`,
      ),
    ).toEqual([{ hidden: true }]);
  });
});

describe('leaving a group', () => {
  it('is told to who leaves, and the next face takes the free place', async () => {
    await world.given(created(6, '六群', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));
    const members = [uid(3), uid(12), uid(9)];
    const pushed = await pushedBy({
      type: 'MembersRemoved',
      data: { gid: gid(6), by: uid(1), members, faces: null },
    });
    const avatar = '/h5/group/avatar?uid=1,2,4,5,6,7,8,10,11';
    expect(pushed).toEqual([
      ['user-3', 'removeGroup', { gid: 6 }],
      ['user-9', 'removeGroup', { gid: 6 }],
      ['group-6', 'updateGroup', { gid: 6, avatar }],
    ]);
    expect(await groupRow(6)).toMatchObject({ member_count: '9', next_index: '12' });
    expect(await world.query(`select 1 from read.inbox where conversation = 'g6' and uid in (3, 9)`)).toEqual(
      [],
    );
    expect((await pushedBy(left(6, 3))).length).toBe(0);
  });

  it('shows the faces that the event names', async () => {
    const faces = [1, 2, 4, 5, 6, 7, 8, 9, 10];
    await world.given(created(16, '六群', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));
    expect(await pushedBy(left(16, 3, faces))).toEqual([
      ['user-3', 'removeGroup', { gid: 16 }],
      ['group-16', 'updateGroup', { gid: 16, avatar: `/h5/group/avatar?uid=${faces.join(',')}` }],
    ]);
    expect(await groupRow(16)).toMatchObject({ member_count: '10', faces: faces.map(String) });
    expect(await pushedBy(left(16, 11, faces))).toEqual([['user-11', 'removeGroup', { gid: 16 }]]);
  });

  it('and coming back begins anew, behind what was said meanwhile', async () => {
    await world.given(
      created(7, '七群', 1, 2),
      { type: 'GroupRemarked', data: { gid: gid(7), uid: uid(2), remark: '我的群' } },
      left(7, 2),
      sent(inGroup(7), 1, 30, '背后'),
      added(7, 1, 2),
    );
    await world.project();
    expect(await world.query('select * from read.group_members where gid = 7 and uid = 2')).toMatchObject([
      { index: '3', joined_sequence: '1', remark: '' },
    ]);
    expect(
      await world.query(`select read_sequence from read.inbox where conversation = 'g7' and uid = 2`),
    ).toEqual([{ read_sequence: '1' }]);
  });
});

describe('what members may do', () => {
  it('changes with owner, managers and mutes, and the group is told to look', async () => {
    await world.given(created(8, '八群', 1, 2, 3));
    const update = ['group-8', 'update', { gid: 8, name: '八群' }];
    expect(await pushedBy({ type: 'ManagerAppointed', data: { gid: gid(8), uid: uid(2) } })).toEqual([
      update,
    ]);
    const muted = await pushedBy({
      type: 'MemberMuted',
      data: { gid: gid(8), by: uid(2), uid: uid(3), until: 1_800_000_000, notice: notice('禁言') },
    });
    expect(muted).toEqual([
      ['group-8', 'message', expect.objectContaining({ content: '禁言', from: '2' })],
      update,
    ]);
    expect(
      await pushedBy({ type: 'GroupMuted', data: { gid: gid(8), by: uid(1), notice: notice('全体') } }),
    ).toHaveLength(2);
    expect(
      await world.query('select role, muted_until from read.group_members where gid = 8 order by index'),
    ).toEqual([
      { role: 'owner', muted_until: '0' },
      { role: 'manager', muted_until: '0' },
      { role: 'member', muted_until: '1800000000' },
    ]);
    expect(await groupRow(8)).toMatchObject({ muted: true });
    await pushedBy(
      { type: 'GroupUnmuted', data: { gid: gid(8), by: uid(1), notice: notice('解除') } },
      { type: 'ManagerDismissed', data: { gid: gid(8), uid: uid(2) } },
      { type: 'GroupTransferred', data: { gid: gid(8), from: uid(1), to: uid(3) } },
    );
    expect(
      await world.query('select role, muted_until from read.group_members where gid = 8 order by index'),
    ).toEqual([
      { role: 'member', muted_until: '0' },
      { role: 'member', muted_until: '0' },
      { role: 'owner', muted_until: '0' },
    ]);
    expect(await groupRow(8)).toMatchObject({ muted: false, owner: '3' });
    await pushedBy(
      {
        type: 'MemberMuted',
        data: { gid: gid(8), by: uid(3), uid: uid(2), until: 1_800_000_000, notice: notice('') },
      },
      { type: 'MemberUnmuted', data: { gid: gid(8), by: uid(3), uid: uid(2), notice: notice('') } },
    );
    expect(await world.query('select muted_until from read.group_members where gid = 8 and uid = 2')).toEqual(
      [{ muted_until: '0' }],
    );
  });
});

describe('name and picture', () => {
  it('are told to the group, each as what it is', async () => {
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

describe('dissolving a group', () => {
  const dissolved = (id: number, released: boolean): DomainEvent => ({
    type: 'GroupDissolved',
    data: { gid: gid(id), by: uid(3), released },
  });
  const releasing = (id: number, ...members: number[]): DomainEvent => ({
    type: 'MembersReleased',
    data: { gid: gid(id), members: members.map(uid) },
  });

  it('is told to every member, in whose list it is no more', async () => {
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

describe('a mute', () => {
  it('holds for who comes back', async () => {
    const muted: DomainEvent = {
      type: 'MemberMuted',
      data: { gid: gid(12), by: uid(1), uid: uid(2), until: 2_000_000_000, notice: notice('禁言') },
    };
    const until = async () =>
      (await world.query('select muted_until from read.group_members where gid = 12 and uid = 2'))[0];
    await world.given(created(12, '十二群', 1, 2), muted, left(12, 2, [1]), added(12, 1, 2));
    await world.project();
    expect(await until()).toEqual({ muted_until: '2000000000' });
    const unmuted: DomainEvent = {
      type: 'MemberUnmuted',
      data: { gid: gid(12), by: uid(1), uid: uid(2), notice: notice('解除禁言') },
    };
    await world.given(left(12, 2, [1]), unmuted, added(12, 1, 2));
    await world.project();
    expect(await until()).toEqual({ muted_until: '0' });
  });
});

describe('a group of 10,000', () => {
  it('costs each of its events a few rows for each person named, never a look at all members', () => {
    const owner = uid(1);
    const names = new Map<Uid, string>();
    const projections = projectionsByType(false);
    const present = Array.from({ length: groups.maxMembers }, (_, index) => uid(index + 1));
    const state = () =>
      fold(group, [
        {
          type: 'GroupCreated',
          data: { gid: gid(13), owner, members: present, name: '大群', avatar: null, noticeMid: null },
        },
      ]);
    const decisions: readonly (readonly [named: number, events: readonly DomainEvent[]])[] = [
      [1, groups.leaveGroup(state(), { uid: uid(2) })],
      [1_000, groups.removeMembers(state(), { by: owner, members: present.slice(1, 1_001) })],
      [1_000, groups.dissolveGroup(state(), { by: owner })],
      [2, groups.transferGroup(state(), { by: owner, to: uid(2) })],
      [1, groups.muteMember(state(), { by: owner, uid: uid(2), time: 60, now: 1, names, mid: mid(1) })],
    ];
    for (const [named, events] of decisions) {
      for (const event of events) {
        const refs = projections.get(event.type)?.reads(decodedAs(event)) ?? [];
        expect(refs.filter(({ list }) => list !== null)).toEqual([]);
        expect(refs.length).toBeLessThanOrEqual(6 + 2 * named);
      }
    }
  });
});

/** An event as the log gives it. */
function decodedAs(event: DomainEvent): Decoded {
  const metadata = { time: testTime, actor: 'server', $correlationId: 'test', $causationId: 'test' };
  const stored = { stream: streamOf(event), revision: 0, position: startOfLog, recorded: testTime };
  return decode(recordedAs(encode(newEventId(), event, metadata), stored));
}
