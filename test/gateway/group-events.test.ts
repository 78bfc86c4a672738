import { describe, expect, test } from 'vitest';
import { loosely, named, say, threeListening } from './three.ts';

const there = threeListening();
const { heardOf } = there;

/** Both members heard this, and Spike nothing. */
const byBoth = (...events: string[]) =>
  ['tom', 'jerry'].flatMap((name) => events.map((event) => [name, event]));

describe('who comes', () => {
  test('into a new group hears addGroup, the owner too, and who was invited the notice of it', async () => {
    const { tom, jerry } = there;
    const heard = await heardOf(() => tom.post('/group/create', { members: [jerry.uid] }));
    const added = loosely({ groupname: '群聊(tom,jerry)', uid: tom.uid });
    expect(heard).toEqual([
      ['tom', 'addGroup', added],
      ['jerry', 'addGroup', added],
      ['jerry', 'message', loosely({ sub_type: 'notice', content: 'tom创建了群聊,邀请了jerry' })],
    ]);
  });

  test.each([
    ['is invited', 'tom邀请spike加入了群聊'],
    ['joins', 'spike加入了群聊'],
  ])(
    'who %s hears addGroup and the notice, the members the notice and then updateGroup',
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
      expect(await heardOf(come)).toEqual([
        ['tom', 'message', notice],
        ['tom', 'updateGroup', picture],
        ['jerry', 'message', notice],
        ['jerry', 'updateGroup', picture],
        ['spike', 'addGroup', loosely({ gid, uid: by.uid, content })],
        ['spike', 'message', notice],
      ]);
      expect(await heardOf(come)).toEqual([]);
      await there.listenToGroup(spike, gid);
      expect(named(await heardOf(() => speak(gid)))).toEqual([...byBoth('message'), ['spike', 'message']]);
    },
  );

  test('again hears the notice of it and what comes after, and not what was said meanwhile', async () => {
    const { tom, jerry } = there;
    const gid = await there.group();
    await tom.post('/group/memberdel', { gid, members: [jerry.uid] });
    await say(tom, gid, 'group', 'behind their back');
    const heard = await heardOf(() => tom.post('/group/memberadd', { gid, members: [jerry.uid] }));
    expect(named(heard)).toEqual([
      ...[['tom', 'message'] as const, ['tom', 'updateGroup'] as const],
      ...[['jerry', 'addGroup'] as const, ['jerry', 'message'] as const, ['jerry', 'message'] as const],
      ['jerry', 'updateGroup'] as const,
    ]);
    expect(named(await heardOf(() => speak(gid)))).toEqual(byBoth('message'));
  });
});

describe('who goes', () => {
  test.each(['is removed', 'leaves'])(
    'who %s hears removeGroup and nothing from then on, who stays updateGroup',
    async (way) => {
      const { tom, jerry } = there;
      const gid = await there.group();
      const go = () =>
        way === 'leaves'
          ? jerry.post('/group/leave', { gid })
          : tom.post('/group/memberdel', { gid, members: [jerry.uid] });
      expect(await heardOf(go)).toEqual([
        ['tom', 'updateGroup', loosely({ gid })],
        ['jerry', 'removeGroup', { gid }],
      ]);
      expect(await heardOf(go)).toEqual([]);
      expect(named(await heardOf(() => speak(gid)))).toEqual([['tom', 'message']]);
      expect(named(await heardOf(() => tom.post('/group/forbiddenall', { gid, value: 1 })))).toEqual([
        ['tom', 'message'],
        ['tom', 'update'],
      ]);
    },
  );

  test('with the whole group hears removeGroup, as every member does', async () => {
    const { tom } = there;
    const gid = await there.group();
    expect(await heardOf(() => tom.post('/group/delete', { gid }))).toEqual([
      ['tom', 'removeGroup', { gid }],
      ['jerry', 'removeGroup', { gid }],
    ]);
  });
});

describe('what is said', () => {
  test('is heard by the members', async () => {
    const { jerry } = there;
    const gid = await there.group();
    const message = loosely({ from: String(jerry.uid), to: String(gid), type: 'group', content: 'hello' });
    const sent = { to: gid, type: 'group', content: 'hello', uniqueId: 'one' };
    expect(await heardOf(() => jerry.post('/message/send', sent))).toEqual([
      ['tom', 'message', message],
      ['jerry', 'message', message],
    ]);
    expect(await heardOf(() => jerry.post('/message/send', sent))).toEqual([]);
  });

  test.each([
    ['/message/revoke', 'revoke', {}],
    ['/message/delete', 'message_delete', { ty: 2 }],
  ])('and taken back by %s is told to the members, once', async (path, event, more) => {
    const { tom, jerry } = there;
    const gid = await there.group();
    for (const by of [tom, jerry]) {
      const mid = await say(jerry, gid, 'group');
      const takeBack = () => by.post(path, { id: gid, type: 'group', mid, ...more });
      const taken = { type: 'group', id: gid, mid, uid: by.uid };
      expect(await heardOf(takeBack)).toEqual([
        ['tom', event, taken],
        ['jerry', event, taken],
      ]);
      expect(await heardOf(takeBack)).toEqual([]);
    }
  });

  test('and deleted for oneself is told to one’s own devices alone', async () => {
    const { tom, jerry } = there;
    const gid = await there.group();
    const mid = await say(tom, gid, 'group');
    const heard = await heardOf(() => jerry.post('/message/delete', { id: gid, type: 'group', mid, ty: 1 }));
    expect(heard).toEqual([['jerry', 'message_delete', { type: 'group', id: gid, mid, uid: jerry.uid }]]);
  });

  test('and read is told to the reader’s own devices, once', async () => {
    const { tom, jerry } = there;
    const gid = await there.group();
    const mid = await say(tom, gid, 'group');
    const read = () => jerry.get('/message/get', { id: gid, type: 'group' });
    expect(await heardOf(read)).toEqual([['jerry', 'read', { type: 'group', id: gid, mid, uid: jerry.uid }]]);
    expect(await heardOf(read)).toEqual([]);
  });
});

describe('what is changed', () => {
  test('its name: the members hear update', async () => {
    const gid = await there.group();
    const rename = () => there.tom.post('/group/update', { gid, groupname: 'mice' });
    expect(await heardOf(rename)).toEqual([
      ['tom', 'update', { gid, name: 'mice' }],
      ['jerry', 'update', { gid, name: 'mice' }],
    ]);
    expect(await heardOf(rename)).toEqual([]);
  });

  test('its picture: the members hear updateGroup', async () => {
    const gid = await there.group();
    const draw = () => there.tom.post('/group/update', { gid, avatar: '/upload/a.jpg' });
    const drawn = loosely({ gid, avatar: expect.stringContaining('/upload/a.jpg') });
    expect(await heardOf(draw)).toEqual([
      ['tom', 'updateGroup', drawn],
      ['jerry', 'updateGroup', drawn],
    ]);
    expect(await heardOf(draw)).toEqual([]);
  });

  test('its managers and its owner: the members hear update', async () => {
    const { tom, jerry } = there;
    const gid = await there.group();
    const manager = (value: 0 | 1) => () => tom.post('/group/manager', { gid, uid: jerry.uid, value });
    const transfer = () => tom.post('/group/transfer', { gid, uid: jerry.uid });
    expect(named(await heardOf(manager(1)))).toEqual(byBoth('update'));
    expect(await heardOf(manager(1))).toEqual([]);
    expect(named(await heardOf(manager(0)))).toEqual(byBoth('update'));
    expect(named(await heardOf(transfer))).toEqual(byBoth('update'));
  });

  test('its mutes: the members hear the notice, then update', async () => {
    const { tom, jerry } = there;
    const gid = await there.group();
    const muteOne = (time: number) => () => tom.post('/group/forbiddenuser', { gid, uid: jerry.uid, time });
    const muteAll = (value: 0 | 1) => () => tom.post('/group/forbiddenall', { gid, value });
    for (const change of [muteOne(600), muteOne(0), muteAll(1), muteAll(0)]) {
      const heard = await heardOf(change);
      expect(named(heard)).toEqual(byBoth('message', 'update'));
      expect(heard[0]).toEqual(['tom', 'message', loosely({ sub_type: 'notice', to: String(gid) })]);
    }
    expect(await heardOf(muteOne(0))).toEqual([]);
    expect(await heardOf(muteAll(0))).toEqual([]);
  });

  test('what is one member’s own, the name they give it and its place in their list: nobody hears', async () => {
    const gid = await there.group();
    await say(there.tom, gid, 'group');
    const { jerry } = there;
    expect(await heardOf(() => jerry.post('/group/remark', { gid, remark: 'us' }))).toEqual([]);
    for (const change of [{ top: 1 }, { state: 'hidden' }, { state: 'chatting' }]) {
      expect(await heardOf(() => jerry.post('/group/memberupdate', { gid, ...change }))).toEqual([]);
    }
  });
});

function speak(gid: number) {
  return there.tom.post('/message/send', { to: gid, type: 'group', content: 'hello' });
}
