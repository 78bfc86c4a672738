import { describe, expect, it } from 'vitest';
import type { DomainEvent } from '../../contracts/events/index.ts';
import { created, gid, inGroup, sent, uid } from '../support/events.ts';
import { added, groupWorld, left, nextMid } from './group-world.ts';

const world = groupWorld();
const { membersOf, groupRow, pushedBy } = world;

describe('members who join a group', () => {
  it('get it pushed, then the notice, then the new picture', async () => {
    await world.given(created(2, '二群', 1, 2), sent(inGroup(2), 1, 10, '旧'), sent(inGroup(2), 2, 11, '旧'));
    const event = added(2, 2, 3, 4, 1);
    const pushed = await pushedBy(event);
    const { noticeMid: mid } = event.data;
    expect(pushed.map(([channel, event]) => [channel, event])).toEqual([
      ['user-3', 'addGroup'],
      ['user-4', 'addGroup'],
      ['user-3', 'message'],
      ['user-4', 'message'],
      ['group-2', 'message'],
      ['group-2', 'updateGroup'],
    ]);
    const avatar = '/h5/group/avatar?uid=1,2,3,4';
    expect(pushed[0]?.[2]).toEqual({
      gid: 2,
      groupname: '二群',
      avatar,
      uid: 2,
      content: '人2邀请人3、人4、人1加入了群聊',
    });
    expect(pushed[2]?.[2]).toEqual(expect.objectContaining({ mid, sub_type: 'notice' }));
    expect(pushed[4]?.[2]).toMatchObject({
      mid,
      from: '2',
      sub_type: 'notice',
      content: '人2邀请人3、人4、人1加入了群聊',
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

  it('by themselves get the same pushes', async () => {
    const pushed = await pushedBy(created(3, '三群', 1), {
      type: 'MemberJoined',
      data: { gid: gid(3), uid: uid(5), noticeMid: nextMid() },
    });
    expect(pushed.slice(1).map(([channel, event]) => [channel, event])).toEqual([
      ['user-5', 'addGroup'],
      ['user-5', 'message'],
      ['group-3', 'message'],
      ['group-3', 'updateGroup'],
    ]);
  });

  it('do not change a picture that has nine faces', async () => {
    const pushed = await pushedBy(created(4, '四群', 1, 2, 3, 4, 5, 6, 7, 8, 9), added(4, 1, 10));
    expect(pushed.map(([, event]) => event)).not.toContain('updateGroup');
    expect(await groupRow(4)).toMatchObject({ faces: ['1', '2', '3', '4', '5', '6', '7', '8', '9'] });
  });

  it('do not bring back the chat of a member who has hidden it', async () => {
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

describe('a member who leaves a group', () => {
  it('gets it pushed, and the next member replaces them in the picture', async () => {
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

  it('is followed by the faces that the event names', async () => {
    const faces = [1, 2, 4, 5, 6, 7, 8, 9, 10];
    await world.given(created(16, '六群', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));
    expect(await pushedBy(left(16, 3, faces))).toEqual([
      ['user-3', 'removeGroup', { gid: 16 }],
      ['group-16', 'updateGroup', { gid: 16, avatar: `/h5/group/avatar?uid=${faces.join(',')}` }],
    ]);
    expect(await groupRow(16)).toMatchObject({ member_count: '10', faces: faces.map(String) });
    expect(await pushedBy(left(16, 11, faces))).toEqual([['user-11', 'removeGroup', { gid: 16 }]]);
  });

  it('and returns may read what comes after the return', async () => {
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

describe('what a member may do', () => {
  it('changes with owner, managers and mutes, each pushed to the group', async () => {
    await world.given(created(8, '八群', 1, 2, 3));
    const update = ['group-8', 'update', { gid: 8, name: '八群' }];
    expect(await pushedBy({ type: 'ManagerAppointed', data: { gid: gid(8), uid: uid(2) } })).toEqual([
      update,
    ]);
    const muted = await pushedBy({
      type: 'MemberMuted',
      data: { gid: gid(8), by: uid(2), uid: uid(3), until: 1_800_000_000, noticeMid: nextMid() },
    });
    expect(muted).toEqual([
      ['group-8', 'message', expect.objectContaining({ content: '人3被人2禁言', from: '2' })],
      update,
    ]);
    expect(
      await pushedBy({ type: 'GroupMuted', data: { gid: gid(8), by: uid(1), noticeMid: nextMid() } }),
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
      { type: 'GroupUnmuted', data: { gid: gid(8), by: uid(1), noticeMid: nextMid() } },
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
        data: { gid: gid(8), by: uid(3), uid: uid(2), until: 1_800_000_000, noticeMid: nextMid() },
      },
      { type: 'MemberUnmuted', data: { gid: gid(8), by: uid(3), uid: uid(2), noticeMid: nextMid() } },
    );
    expect(await world.query('select muted_until from read.group_members where gid = 8 and uid = 2')).toEqual(
      [{ muted_until: '0' }],
    );
  });
});

describe('a mute', () => {
  it('applies to a member who has left and returns', async () => {
    const muted: DomainEvent = {
      type: 'MemberMuted',
      data: { gid: gid(12), by: uid(1), uid: uid(2), until: 2_000_000_000, noticeMid: nextMid() },
    };
    const until = async () =>
      (await world.query('select muted_until from read.group_members where gid = 12 and uid = 2'))[0];
    await world.given(created(12, '十二群', 1, 2), muted, left(12, 2, [1]), added(12, 1, 2));
    await world.project();
    expect(await until()).toEqual({ muted_until: '2000000000' });
    const unmuted: DomainEvent = {
      type: 'MemberUnmuted',
      data: { gid: gid(12), by: uid(1), uid: uid(2), noticeMid: nextMid() },
    };
    await world.given(left(12, 2, [1]), unmuted, added(12, 1, 2));
    await world.project();
    expect(await until()).toEqual({ muted_until: '0' });
  });
});
