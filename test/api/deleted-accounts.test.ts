import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { GroupDetail } from '../../contracts/http/group.ts';
import { Message } from '../../contracts/http/message.ts';
import { Uid } from '../../contracts/ids.ts';
import { streamName } from '../../services/domain/aggregate.ts';
import { decode } from '../../services/log/codec.ts';
import { findTies } from '../../services/queries/ties.ts';
import { type RunningApplication, startApplication, testApp } from '../support/application.ts';
import { befriend, call, createGroup, done, person } from '../support/client.ts';

let running: RunningApplication;
beforeAll(async () => {
  running = await startApplication();
});
afterAll(() => running.stop());

const server = (method: 'GET' | 'POST', path: string, parameters = {}) =>
  call(running, method, path, parameters);
const remove = ({ uid }: { readonly uid: number }) => server('POST', '/user/delete', { uid });

async function eventsOf(stream: string) {
  const events = [];
  for await (const record of running.application.log.readStream(streamName(stream)))
    events.push(decode(record));
  return events;
}

describe('a deleted account', () => {
  test('cannot log in, is not found, and nobody can befriend it, write to it or add it to a group', async () => {
    const account = { username: 'Leaving1', nickname: '走了', password: 'secret-1' };
    const { uid } = z.object({ uid: z.int() }).parse((await server('POST', '/user/add', account)).data);
    const login = await call(running, 'POST', '/login/login', account, {});
    const { token, nid } = z.object({ token: z.string(), nid: z.int() }).parse(login.data);
    const other = await person(running, '留下');
    const gid = await createGroup(other);
    expect(await remove({ uid })).toEqual(done);
    const bearer = { authorization: `Bearer ${token}` };
    expect(await call(running, 'GET', '/pop/get', {}, bearer)).toMatchObject({ code: -1 });
    expect(await call(running, 'POST', '/login/login', account, {})).toMatchObject({ code: 2 });
    for (const key of [{ uid }, { username: 'Leaving1' }, { nid }]) {
      expect(await other.get('/user/get', key)).toMatchObject({ code: 101 });
    }
    expect(await server('POST', '/user/multiGet', { uid: [uid] })).toMatchObject({ data: [] });
    for (const [path, parameters] of [
      ['/friend/apply', { friend_uid: uid }],
      ['/friend/add', { friend_uid: uid }],
      ['/message/send', { to: uid, type: 'friend', content: '在吗' }],
      ['/group/memberadd', { gid, members: [uid] }],
      ['/group/create', { members: [uid] }],
    ] as const) {
      expect(await other.post(path, parameters), path).toMatchObject({ code: 101 });
    }
    const own = { login_uid: uid };
    expect(await server('POST', '/user/update', { ...own, account_state: 'normal' })).toMatchObject({
      code: 101,
    });
    expect(await server('POST', '/group/join', { ...own, gid })).toMatchObject({ code: 101 });
    expect(await server('GET', '/user/sessions', { uid })).toMatchObject({ code: 101 });
  });

  test('frees its username and phone for another uid, and is listed as deleted without its phone', async () => {
    const account = { username: 'Freed', nickname: '旧', password: 'secret-1' };
    const { uid } = z.object({ uid: z.int() }).parse((await server('POST', '/user/add', account)).data);
    await server('POST', '/user/update', { login_uid: uid, phone: '13811110000' });
    await remove({ uid });
    const again = await server('POST', '/user/add', { ...account, username: 'freed', nickname: '新' });
    const next = z.object({ uid: z.int() }).parse(again.data).uid;
    expect(next).not.toBe(uid);
    expect(await server('POST', '/user/update', { login_uid: next, phone: '13811110000' })).toEqual(done);
    expect(await call(running, 'POST', '/login/login', { ...account, username: 'FREED' }, {})).toMatchObject({
      data: { uid: next },
    });
    expect(await server('GET', '/user/get', { username: 'freed' })).toMatchObject({
      data: { nickname: '新' },
    });
    expect(await server('GET', '/user/list', { username: 'freed' })).toMatchObject({
      data: {
        users: [
          { uid, username: 'Freed', account_state: 'deleted', phone: null },
          { uid: next, account_state: 'normal', phone: '13811110000' },
        ],
      },
    });
  });

  test('leaves its friends, who keep the history and can hide the chat', async () => {
    const [tom, jerry] = [await person(running, '汤姆'), await person(running, '杰瑞')];
    await befriend(tom, jerry);
    await tom.post('/message/send', { to: jerry.uid, type: 'friend', content: '再见' });
    expect(await remove(tom)).toEqual(done);
    expect(await jerry.get('/friend/getlist')).toMatchObject({ data: {} });
    const chat = { id: tom.uid, type: 'friend' };
    const history = z.array(Message).parse((await jerry.get('/message/get', chat)).data);
    expect(history.at(-1)).toMatchObject({ content: '再见', from: String(tom.uid) });
    expect(await jerry.post('/pop/delchat', chat)).toEqual(done);
    const missed = await jerry.get('/message/sync', { since: '' });
    expect(missed.code).toBe(0);
  });

  test('refuses its open applications on both sides', async () => {
    const [tom, jerry, spike] = [
      await person(running, '甲'),
      await person(running, '乙'),
      await person(running, '丙'),
    ];
    await tom.post('/friend/apply', { friend_uid: jerry.uid });
    await spike.post('/friend/apply', { friend_uid: tom.uid });
    await remove(tom);
    const [application] = z
      .array(z.object({ nid: z.int(), operation: z.string() }))
      .parse((await jerry.get('/friend/applylist')).data);
    expect(application?.operation).toBe('refuse');
    expect(await jerry.post('/friend/agree', { nid: application?.nid })).not.toMatchObject({ code: 0 });
    expect(await findTies(running.application.database, Uid.parse(tom.uid), 10)).toEqual({
      ...{ people: [], groups: [] },
    });
  });

  test('leaves its groups: its own go to the eldest manager, and are dissolved if nobody else is in them', async () => {
    const people = [await person(running, '主'), await person(running, '员'), await person(running, '管')];
    const [owner, member, manager] = people;
    if (!owner || !member || !manager) throw new TypeError('three people');
    const own = await createGroup(owner, member, manager);
    const alone = await createGroup(owner);
    const others = await createGroup(member, owner);
    await owner.post('/group/manager', { gid: own, uid: manager.uid, value: 1 });
    await owner.post('/message/send', { to: own, type: 'group', content: '保重' });
    expect(await remove(owner)).toEqual(done);
    const detail = GroupDetail.parse((await member.get('/group/detail', { gid: own })).data);
    expect(detail.info.uid).toBe(manager.uid);
    expect(Object.keys(detail.members ?? {}).sort()).toEqual([member.uid, manager.uid].map(String).sort());
    const history = await member.get('/message/get', { id: own, type: 'group' });
    expect(z.array(Message).parse(history.data).at(-1)).toMatchObject({ content: '保重', name: '主' });
    expect(await server('GET', '/group/list', { gid: alone })).toMatchObject({
      data: { groups: [{ state: 'dissolved' }] },
    });
    expect(await server('GET', '/group/memberlist', { gid: others })).toMatchObject({
      data: [{ uid: member.uid, role: 'owner' }],
    });
  });

  test('is deleted once, and only if somebody had the uid', async () => {
    const tom = await person(running, '一次');
    expect(await remove(tom)).toEqual(done);
    expect(await remove(tom)).toEqual(done);
    expect(await remove({ uid: 999_999 })).toMatchObject({ code: 101 });
    const deleted = (await eventsOf(`user-${tom.uid}`)).filter(({ type }) => type === 'AccountDeleted');
    expect(deleted).toHaveLength(1);
  });

  test('has one cause in the log: what ended with it names the deletion and the server’s key', async () => {
    const [tom, jerry] = [await person(running, '因'), await person(running, '果')];
    await befriend(tom, jerry);
    const gid = await createGroup(jerry, tom);
    await remove(tom);
    const [deletion] = (await eventsOf(`user-${tom.uid}`)).slice(-1);
    const pair = [tom.uid, jerry.uid].sort((one, other) => one - other).join('-');
    for (const stream of [`friendship-${pair}`, `group-${gid}`]) {
      const last = (await eventsOf(stream)).at(-1);
      expect(last?.metadata, stream).toMatchObject({
        ...{ actor: 'server', key: testApp.key, $causationId: deletion?.id },
        $correlationId: deletion?.metadata.$correlationId,
      });
    }
  });
});
