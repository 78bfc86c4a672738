import { describe, expect, test } from 'vitest';
import { loosely, named, say, threeListening } from './three.ts';

const there = threeListening();
const { pushesOf } = there;

/** Both members got these events, and Spike none. */
const byBoth = (...events: string[]) =>
  ['tom', 'jerry'].flatMap((name) => events.map((event) => [name, event]));

describe('a person who joins', () => {
  test('into a new group gets addGroup, and an invited one the notice; the owner gets addGroup too', async () => {
    const { tom, jerry } = there;
    const received = await pushesOf(() => tom.post('/group/create', { members: [jerry.uid] }));
    const added = loosely({ groupname: '群聊(tom,jerry)', uid: tom.uid });
    expect(received).toEqual([
      ['tom', 'addGroup', added],
      ['jerry', 'addGroup', added],
      ['jerry', 'message', loosely({ sub_type: 'notice', content: 'tom创建了群聊,邀请了jerry' })],
    ]);
  });

  test.each([
    ['is invited', 'tom邀请spike加入了群聊'],
    ['joins', 'spike加入了群聊'],
  ])(
    'and %s gets addGroup and the notice; the members get the notice and then updateGroup',
    async (way, content) => {
      const { tom, spike } = there;
      const gid = await there.group();
      const by = way === 'joins' ? spike : tom;
      const come = () =>
        way === 'joins'
          ? spike.post('/group/join', { gid })
          : tom.post('/group/memberadd', { gid, members: [spike.uid] });
      const notice = loosely({ from: String(by.uid), to: String(gid), sub_type: 'notice', content });
      const picture = loosely({ gid, avatar: expect.stringContaining(`,${spike.uid}`) });
      expect(await pushesOf(come)).toEqual([
        ['tom', 'message', notice],
        ['tom', 'updateGroup', picture],
        ['jerry', 'message', notice],
        ['jerry', 'updateGroup', picture],
        ['spike', 'addGroup', loosely({ gid, uid: by.uid, content })],
        ['spike', 'message', notice],
      ]);
      expect(await pushesOf(come)).toEqual([]);
      await there.listenToGroup(spike, gid);
      expect(named(await pushesOf(() => speak(gid)))).toEqual([...byBoth('message'), ['spike', 'message']]);
    },
  );

  test('again gets the notice and later events, but not what was said meanwhile', async () => {
    const { tom, jerry } = there;
    const gid = await there.group();
    await tom.post('/group/memberdel', { gid, members: [jerry.uid] });
    await say(tom, gid, 'group', 'behind their back');
    const received = await pushesOf(() => tom.post('/group/memberadd', { gid, members: [jerry.uid] }));
    expect(named(received)).toEqual([
      ...[['tom', 'message'] as const, ['tom', 'updateGroup'] as const],
      ...[['jerry', 'addGroup'] as const, ['jerry', 'message'] as const, ['jerry', 'message'] as const],
      ['jerry', 'updateGroup'] as const,
    ]);
    expect(named(await pushesOf(() => speak(gid)))).toEqual(byBoth('message'));
  });
});

describe('a person who goes', () => {
  test.each(['is removed', 'leaves'])(
    'and %s gets removeGroup and nothing later; who stays gets updateGroup',
    async (way) => {
      const { tom, jerry } = there;
      const gid = await there.group();
      const go = () =>
        way === 'leaves'
          ? jerry.post('/group/leave', { gid })
          : tom.post('/group/memberdel', { gid, members: [jerry.uid] });
      expect(await pushesOf(go)).toEqual([
        ['tom', 'updateGroup', loosely({ gid })],
        ['jerry', 'removeGroup', { gid }],
      ]);
      expect(await pushesOf(go)).toEqual([]);
      expect(named(await pushesOf(() => speak(gid)))).toEqual([['tom', 'message']]);
      expect(named(await pushesOf(() => tom.post('/group/forbiddenall', { gid, value: 1 })))).toEqual([
        ['tom', 'message'],
        ['tom', 'update'],
      ]);
    },
  );

  test('because the group is dissolved gets removeGroup, like every member', async () => {
    const { tom } = there;
    const gid = await there.group();
    expect(await pushesOf(() => tom.post('/group/delete', { gid }))).toEqual([
      ['tom', 'removeGroup', { gid }],
      ['jerry', 'removeGroup', { gid }],
    ]);
  });
});

describe('a message to a group', () => {
  test('goes to the members, once', async () => {
    const { jerry } = there;
    const gid = await there.group();
    const message = loosely({ from: String(jerry.uid), to: String(gid), type: 'group', content: 'hello' });
    const sent = { to: gid, type: 'group', content: 'hello', uniqueId: 'one' };
    expect(await pushesOf(() => jerry.post('/message/send', sent))).toEqual([
      ['tom', 'message', message],
      ['jerry', 'message', message],
    ]);
    expect(await pushesOf(() => jerry.post('/message/send', sent))).toEqual([]);
  });

  test.each([
    ['/message/revoke', 'revoke', {}],
    ['/message/delete', 'message_delete', { ty: 2 }],
  ])('that is removed by %s is announced to the members, once', async (path, event, more) => {
    const { tom, jerry } = there;
    const gid = await there.group();
    for (const by of [tom, jerry]) {
      const mid = await say(jerry, gid, 'group');
      const takeBack = () => by.post(path, { id: gid, type: 'group', mid, ...more });
      const taken = { type: 'group', id: gid, mid, uid: by.uid };
      expect(await pushesOf(takeBack)).toEqual([
        ['tom', event, taken],
        ['jerry', event, taken],
      ]);
      expect(await pushesOf(takeBack)).toEqual([]);
    }
  });

  test('that is deleted for oneself is announced to one’s own devices only', async () => {
    const { tom, jerry } = there;
    const gid = await there.group();
    const mid = await say(tom, gid, 'group');
    const received = await pushesOf(() =>
      jerry.post('/message/delete', { id: gid, type: 'group', mid, ty: 1 }),
    );
    expect(received).toEqual([['jerry', 'message_delete', { type: 'group', id: gid, mid, uid: jerry.uid }]]);
  });

  test('that is read is announced to the reader’s own devices, once', async () => {
    const { tom, jerry } = there;
    const gid = await there.group();
    const mid = await say(tom, gid, 'group');
    const read = () => jerry.get('/message/get', { id: gid, type: 'group' });
    expect(await pushesOf(read)).toEqual([
      ['jerry', 'read', { type: 'group', id: gid, mid, uid: jerry.uid }],
    ]);
    expect(await pushesOf(read)).toEqual([]);
  });
});

describe('a change of a group', () => {
  test('of its name sends update to the members', async () => {
    const gid = await there.group();
    const rename = () => there.tom.post('/group/update', { gid, groupname: 'mice' });
    expect(await pushesOf(rename)).toEqual([
      ['tom', 'update', { gid, name: 'mice' }],
      ['jerry', 'update', { gid, name: 'mice' }],
    ]);
    expect(await pushesOf(rename)).toEqual([]);
  });

  test('of its picture sends updateGroup to the members', async () => {
    const gid = await there.group();
    const draw = () => there.tom.post('/group/update', { gid, avatar: '/upload/a.jpg' });
    const drawn = loosely({ gid, avatar: expect.stringContaining('/upload/a.jpg') });
    expect(await pushesOf(draw)).toEqual([
      ['tom', 'updateGroup', drawn],
      ['jerry', 'updateGroup', drawn],
    ]);
    expect(await pushesOf(draw)).toEqual([]);
  });

  test('of its managers or owner sends update to the members', async () => {
    const { tom, jerry } = there;
    const gid = await there.group();
    const manager = (value: 0 | 1) => () => tom.post('/group/manager', { gid, uid: jerry.uid, value });
    const transfer = () => tom.post('/group/transfer', { gid, uid: jerry.uid });
    expect(named(await pushesOf(manager(1)))).toEqual(byBoth('update'));
    expect(await pushesOf(manager(1))).toEqual([]);
    expect(named(await pushesOf(manager(0)))).toEqual(byBoth('update'));
    expect(named(await pushesOf(transfer))).toEqual(byBoth('update'));
  });

  test('of its mutes sends the notice, then update to the members', async () => {
    const { tom, jerry } = there;
    const gid = await there.group();
    const muteOne = (time: number) => () => tom.post('/group/forbiddenuser', { gid, uid: jerry.uid, time });
    const muteAll = (value: 0 | 1) => () => tom.post('/group/forbiddenall', { gid, value });
    for (const change of [muteOne(600), muteOne(0), muteAll(1), muteAll(0)]) {
      const received = await pushesOf(change);
      expect(named(received)).toEqual(byBoth('message', 'update'));
      expect(received[0]).toEqual(['tom', 'message', loosely({ sub_type: 'notice', to: String(gid) })]);
    }
    expect(await pushesOf(muteOne(0))).toEqual([]);
    expect(await pushesOf(muteAll(0))).toEqual([]);
  });

  test('of one member’s remark or list of chats is not announced', async () => {
    const gid = await there.group();
    await say(there.tom, gid, 'group');
    const { jerry } = there;
    expect(await pushesOf(() => jerry.post('/group/remark', { gid, remark: 'us' }))).toEqual([]);
    for (const change of [{ top: 1 }, { state: 'hidden' }, { state: 'chatting' }]) {
      expect(await pushesOf(() => jerry.post('/group/memberupdate', { gid, ...change }))).toEqual([]);
    }
  });
});

function speak(gid: number) {
  return there.tom.post('/message/send', { to: gid, type: 'group', content: 'hello' });
}
