import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type RunningApplication, startApplication } from '../support/application.ts';
import {
  befriend,
  client,
  createGroup,
  done,
  type Person,
  refusedWith,
  three,
  two,
} from '../support/client.ts';

let running: RunningApplication;
let now = Date.now();
beforeAll(async () => {
  running = await startApplication({ now: () => now });
});
afterAll(() => running.stop());

const Created = z.object({ gid: z.string(), groupname: z.string(), avatar: z.string() });
const Messages = z.array(z.object({ content: z.string(), sub_type: z.string() }));

const say = (person: Person, gid: number, content = 'hi') =>
  person.post('/message/send', { to: gid, type: 'group', content });

const seconds = () => Math.floor(now / 1000);

describe('creating a group', () => {
  test('names it after its members and shows it in the list of each, without a message', async () => {
    const [tom, jerry] = await two(running, '猫猫', '小老鼠');
    const created = await tom.post('/group/create', { members: [jerry.uid, jerry.uid, tom.uid] });
    const { gid, groupname, avatar } = Created.parse(created.data);
    expect(gid).toMatch(/^\d{9}$/);
    expect(groupname).toBe('群聊(猫猫,小老鼠)');
    expect(avatar).toBe(`/h5/group/avatar?uid=${tom.uid},${jerry.uid}`);
    for (const person of [tom, jerry]) {
      expect(await person.get('/pop/get')).toMatchObject({
        data: {
          group: [{ gid: Number(gid), avatar, name: groupname, uid: tom.uid }],
          chatting: {
            [`group${gid}`]: {
              type: 'group',
              id: Number(gid),
              url: `/pop/group/chat/${gid}`,
              key: `group-${gid}`,
              unread_count: 0,
              items: [{ content: '猫猫创建了群聊,邀请了小老鼠', sub_type: 'notice' }],
            },
          },
        },
      });
    }
  });

  test('with a person who does not exist does nothing', async () => {
    const [tom] = await two(running);
    expect(await tom.post('/group/create', { members: [999_999] })).toMatchObject({ code: 101 });
    expect(await tom.get('/pop/get')).toMatchObject({ data: { group: [] } });
  });

  test('again under one uniqueId answers the same group, also once it is another’s', async () => {
    const [tom, jerry] = await two(running);
    const request = { members: [jerry.uid], uniqueId: 'g-1' };
    const first = await tom.post('/group/create', request);
    const { gid } = Created.parse(first.data);
    await tom.post('/group/transfer', { gid, uid: jerry.uid });
    expect(await tom.post('/group/create', request)).toEqual(first);
    expect(await tom.post('/group/create', { ...request, members: [] })).toMatchObject({ code: 2 });
  });
});

describe('the number of a new group', () => {
  test('is the one that the server’s key chooses, once', async () => {
    const [tom, jerry] = await two(running);
    const chosen = { gid: 234_567_890, groupname: '一班' };
    expect(await tom.post('/group/create', chosen)).toMatchObject({ data: { gid: '234567890' } });
    expect(await tom.get('/group/detail', { gid: 234_567_890 })).toMatchObject({
      data: { info: { gid: 234_567_890, groupname: '一班' } },
    });
    const taken = refusedWith(2, '参数gid已被使用');
    expect(await tom.post('/group/create', chosen)).toEqual(taken);
    expect(await jerry.post('/group/create', { ...chosen, groupname: '二班' })).toEqual(taken);
    await tom.post('/group/delete', { gid: 234_567_890 });
    expect(await tom.post('/group/create', chosen)).toEqual(taken);
  });

  test('is chosen by nobody else, has nine digits, and no uniqueId beside it', async () => {
    const [tom] = await two(running);
    const own = await client(running, 'spike');
    expect(await own.post('/group/create', { gid: 234_567_891 })).toMatchObject({
      ...{ code: 2, msg: expect.stringContaining('gid') },
    });
    for (const wrong of [{ gid: 99_999_999 }, { gid: 1_000_000_000 }, { gid: 234_567_891, uniqueId: 'a' }]) {
      expect(await tom.post('/group/create', wrong)).toMatchObject({
        ...{ code: 2, msg: expect.stringContaining('gid') },
      });
    }
    expect(await tom.post('/group/create', { gid: 234_567_891 })).toMatchObject({ code: 0 });
  });
});

describe('members', () => {
  test('come by invitation or by themselves, each with a notice that counts as unread for nobody', async () => {
    const [tom, jerry, spike] = await three(running);
    const gid = await createGroup(tom);
    expect(await tom.post('/group/memberadd', { gid, members: [jerry.uid, tom.uid] })).toEqual(done);
    expect(await spike.post('/group/join', { gid })).toEqual(done);
    expect(await spike.post('/group/join', { gid })).toEqual(done);
    const { data } = await tom.get('/group/members', { gid });
    expect(data).toEqual({
      [tom.uid]: { uid: tom.uid, nickname: 'tom', name: 'tom', avatar: '/static/img/avatar.jpg', index: 1 },
      [jerry.uid]: {
        uid: jerry.uid,
        nickname: 'jerry',
        name: 'jerry',
        avatar: '/static/img/avatar.jpg',
        index: 2,
      },
      [spike.uid]: {
        uid: spike.uid,
        nickname: 'spike',
        name: 'spike',
        avatar: '/static/img/avatar.jpg',
        index: 3,
      },
    });
    const page = await tom.get('/group/members', { gid, index: 2, limit: 1 });
    expect(Object.keys(z.record(z.string(), z.unknown()).parse(page.data))).toEqual([String(jerry.uid)]);
    expect(await tom.get('/message/unreadcount', { id: gid, type: 'group' })).toMatchObject({ data: 0 });
    const history = Messages.parse((await tom.get('/message/get', { id: gid, type: 'group' })).data);
    expect(history).toMatchObject([
      { content: 'tom邀请jerry加入了群聊', sub_type: 'notice' },
      { content: 'spike加入了群聊', sub_type: 'notice' },
    ]);
  });

  test('read from their latest joining on', async () => {
    const [tom, jerry] = await two(running);
    const gid = await createGroup(tom, jerry);
    await say(tom, gid, 'before');
    await jerry.post('/group/leave', { gid });
    await say(tom, gid, 'meanwhile');
    expect(await jerry.get('/message/get', { id: gid, type: 'group' })).toEqual({ ...done, data: [] });
    expect(await jerry.get('/message/unreadcount', { id: gid, type: 'group' })).toMatchObject({ data: 0 });
    await tom.post('/group/memberadd', { gid, members: [jerry.uid] });
    await say(tom, gid, 'after');
    expect(await jerry.get('/message/unreadcount', { id: gid, type: 'group' })).toMatchObject({ data: 1 });
    const history = Messages.parse((await jerry.get('/message/get', { id: gid, type: 'group' })).data);
    expect(history.map(({ content }) => content)).toEqual(['tom邀请jerry加入了群聊', 'after']);
  });

  test('are removed by the owner alone, who cannot leave but hand over or dissolve', async () => {
    const [tom, jerry, spike] = await three(running);
    const gid = await createGroup(tom, jerry, spike);
    expect(await jerry.post('/group/memberdel', { gid, members: [spike.uid] })).toMatchObject({ code: 2 });
    expect(await tom.post('/group/memberdel', { gid, members: [spike.uid] })).toEqual(done);
    expect(await say(spike, gid)).toMatchObject({ code: 2 });
    for (const path of ['/group/members', '/group/detail']) {
      expect(await spike.get(path, { gid })).toMatchObject({ code: 2 });
    }
    expect(await tom.post('/group/leave', { gid })).toMatchObject({ code: 2 });
    expect(await tom.post('/group/transfer', { gid, uid: jerry.uid })).toEqual(done);
    expect(await tom.post('/group/leave', { gid })).toEqual(done);
    expect(await jerry.post('/group/delete', { gid })).toEqual(done);
    expect(await say(jerry, gid)).toMatchObject({ code: 701 });
    expect(await jerry.get('/pop/get')).toMatchObject({ data: { group: [], chatting: {} } });
  });
});

describe('mutes', () => {
  test('of a member last until their time, which may come as a duration', async () => {
    const [tom, jerry] = await two(running);
    const gid = await createGroup(tom, jerry);
    expect(await tom.post('/group/forbiddenuser', { gid, uid: jerry.uid, time: seconds() + 60 })).toEqual(
      done,
    );
    expect(await say(jerry, gid)).toMatchObject({ code: 4 });
    now += 61_000;
    expect(await say(jerry, gid)).toMatchObject({ code: 0 });
    await tom.post('/group/forbiddenuser', { gid, uid: jerry.uid, time: 60 });
    expect(await say(jerry, gid)).toMatchObject({ code: 4 });
    await tom.post('/group/forbiddenuser', { gid, uid: jerry.uid, time: 0 });
    expect(await say(jerry, gid)).toMatchObject({ code: 0 });
  });

  test('of the whole group leave owner and managers their word', async () => {
    const [tom, jerry, spike] = await three(running);
    const gid = await createGroup(tom, jerry, spike);
    expect(await jerry.post('/group/manager', { gid, uid: jerry.uid, value: 1 })).toMatchObject({ code: 2 });
    expect(await tom.post('/group/manager', { gid, uid: jerry.uid, value: 1 })).toEqual(done);
    expect(await spike.post('/group/ismanager', { gid, uid: jerry.uid })).toMatchObject({
      data: { is_manager: 1 },
    });
    expect(await spike.post('/group/ismanager', { gid, uid: tom.uid })).toMatchObject({
      data: { is_manager: 1 },
    });
    expect(await spike.post('/group/ismanager', { gid, uid: spike.uid })).toMatchObject({
      data: { is_manager: 0 },
    });
    expect(await spike.post('/group/forbiddenall', { gid, value: 1 })).toMatchObject({ code: 2 });
    expect(await jerry.post('/group/forbiddenall', { gid, value: 1 })).toEqual(done);
    expect(await say(tom, gid)).toMatchObject({ code: 0 });
    expect(await say(jerry, gid)).toMatchObject({ code: 0 });
    expect(await say(spike, gid)).toMatchObject({ code: 200 });
    expect(await tom.post('/group/forbiddenall', { gid, value: 0 })).toEqual(done);
    expect(await say(spike, gid)).toMatchObject({ code: 0 });
  });
});

describe('a group as its members see it', () => {
  test('carries a private remark, a public name, and what calls for the caller', async () => {
    const [tom, jerry] = await two(running);
    const gid = await createGroup(tom, jerry);
    await befriend(tom, jerry);
    await tom.post('/friend/remark', { friend_uid: jerry.uid, remark: '小杰' });
    expect(await jerry.post('/group/update', { gid, groupname: '新名' })).toMatchObject({ code: 2 });
    expect(await tom.post('/group/update', { gid, groupname: '新名' })).toEqual(done);
    expect(await jerry.post('/group/remark', { gid, remark: '我的群' })).toEqual(done);
    const { data: sent } = await say(tom, gid, `@[jerry](${jerry.uid}) 在吗`);
    await say(tom, gid, '@all 开会');
    await say(jerry, gid, '@all 我不是管理员');
    const { data } = await jerry.get('/group/detail', { gid, at: 1 });
    expect(data).toMatchObject({
      info: { gid, uid: tom.uid, state: 'normal', remark: '我的群' },
      members: { [tom.uid]: { nickname: 'tom', remark: '' } },
      at: [
        { from: String(tom.uid), name: 'tom', content: '@all 开会' },
        { ...z.object({ mid: z.int() }).parse(sent), content: `@[jerry](${jerry.uid}) 在吗` },
      ],
    });
    const own = await tom.get('/group/detail', { gid, at: 1 });
    expect(own).toMatchObject({
      data: { info: { remark: '新名' }, members: { [jerry.uid]: { remark: '小杰' } } },
    });
    expect(own.data).toHaveProperty('at', []);
    expect((await tom.get('/group/detail', { gid, simple: 1 })).data).not.toHaveProperty('members');
  });
});
