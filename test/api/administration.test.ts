import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { ListedGroup, ListedMember, ListedUser } from '../../contracts/http/administration.ts';
import { streamName } from '../../services/domain/aggregate.ts';
import { decode } from '../../services/log/codec.ts';
import { type RunningApplication, startApplication, testApp } from '../support/application.ts';
import { call, client, done, type Person, person, refusedWith } from '../support/client.ts';

let running: RunningApplication;
beforeAll(async () => {
  running = await startApplication();
});
afterAll(() => running.stop());

const server = (method: 'GET' | 'POST', path: string, parameters = {}) =>
  call(running, method, path, parameters);

const Users = z.object({ users: z.array(ListedUser), next: z.string().nullable() });
const Groups = z.object({ groups: z.array(ListedGroup), next: z.string().nullable() });

const usersBy = async (search: Record<string, unknown>) =>
  Users.parse((await server('GET', '/user/list', search)).data);
const groupsBy = async (search: Record<string, unknown>) =>
  Groups.parse((await server('GET', '/group/list', search)).data);
const uidsBy = async (search: Record<string, unknown>) => (await usersBy(search)).users.map(({ uid }) => uid);
const gidsBy = async (search: Record<string, unknown>) =>
  (await groupsBy(search)).groups.map(({ gid }) => gid);

async function groupOf(owner: Person, groupname: string, members: readonly Person[] = []): Promise<number> {
  const made = await owner.post('/group/create', { groupname, members: members.map(({ uid }) => uid) });
  return Number(z.object({ gid: z.string() }).parse(made.data).gid);
}

describe('user/list', () => {
  test('finds people by the beginning of their nickname or username in any case, by phone and by number id', async () => {
    const add = async (username: string, nickname: string) => {
      const added = await server('POST', '/user/add', { username, nickname, password: 'secret-1' });
      return z.object({ uid: z.int() }).parse(added.data).uid;
    };
    const one = await add('Searcha1', '搜索猫');
    const other = await add('searchA2', '搜索狗');
    const third = await add('othername', '不搜索');
    await server('POST', '/user/update', { login_uid: one, phone: '13911112222' });
    expect(await uidsBy({ username: 'SEARCHA' })).toEqual([one, other]);
    expect(await uidsBy({ nickname: '搜索' })).toEqual([other, one]);
    expect(await uidsBy({ nickname: '不' })).toEqual([third]);
    expect(await uidsBy({ phone: '1391111' })).toEqual([one]);
    const [found] = (await usersBy({ username: 'searcha1' })).users;
    expect(found).toMatchObject({
      uid: one,
      phone: '13911112222',
      account_state: 'normal',
      state: 'offline',
    });
    expect(Math.abs(Date.now() / 1000 - (found?.timestamp ?? 0))).toBeLessThan(600);
    expect(await uidsBy({ nid: found?.nid })).toEqual([one]);
    expect(await uidsBy({ nid: 1 })).toEqual([]);
    expect(await uidsBy({ nickname: '%' })).toEqual([]);
  });

  test('tells apart names that differ in their last, 64th character, and refuses to search for longer ones', async () => {
    const name = '长'.repeat(63);
    const [one] = [await person(running, `${name}甲`), await person(running, `${name}乙`)];
    expect(await uidsBy({ nickname: `${name}甲` })).toEqual([one.uid]);
    expect(await uidsBy({ nickname: name })).toHaveLength(2);
    expect(await server('GET', '/user/list', { nickname: `${name}甲甲` })).toEqual(
      refusedWith(2, '参数nickname不合法'),
    );
  });

  test('shows everybody once over its pages, also while others register', async () => {
    for (const nickname of ['页甲', '页乙', '页丙']) await person(running, nickname);
    const walk = async (search: Record<string, unknown>) => {
      const seen: number[] = [];
      for (let from: string | undefined = ''; from !== undefined; ) {
        const { users, next } = await usersBy({ ...search, limit: 2, ...(from === '' ? {} : { from }) });
        seen.push(...users.map(({ uid }) => uid));
        if (seen.length < 4) await person(running, '页外');
        from = next ?? undefined;
      }
      return seen;
    };
    for (const search of [{}, { nickname: '页' }]) {
      const before = await uidsBy({ ...search, limit: 200 });
      const seen = await walk(search);
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen).toEqual(expect.arrayContaining(before));
    }
  });

  test('refuses two conditions at once, and an illegal cursor', async () => {
    expect(await server('GET', '/user/list', { nickname: 'a', phone: '1' })).toEqual({
      ...refusedWith(2, '参数phone不能与nickname同时使用'),
    });
    for (const from of ['x', '9999999999999999.', `1.${Buffer.from('\0').toString('base64url')}`]) {
      expect(await server('GET', '/user/list', { from }), from).toEqual(refusedWith(2, '参数from不合法'));
    }
  });

  test('reads no more of an index than a page needs, for every search', async () => {
    const plan = async (query: string) => {
      const connection = await running.application.pool.connect();
      try {
        await connection.query('begin; set local enable_seqscan = off; set local enable_sort = off');
        const { rows } = await connection.query<{ 'QUERY PLAN': string }>(`explain ${query}`);
        return rows.map((row) => row['QUERY PLAN']).join('\n');
      } finally {
        await connection.query('rollback');
        connection.release();
      }
    };
    for (const [text, table, id, index] of [
      ['left(lower(username), 64)', 'users', 'uid', 'users_by_username'],
      ['left(lower(nickname), 64)', 'users', 'uid', 'users_by_nickname'],
      ['phone', 'users', 'uid', 'users_by_phone'],
      ['left(lower(name), 64)', 'groups', 'gid', 'groups_by_name'],
    ]) {
      const key = `${text} collate "C"`;
      const shown = await plan(
        `select * from read.${table} where ${key} >= 'a' and ${key} <= 'az'
            and (${key}, ${id}) > ('a'::text collate "C", 0) order by ${key}, ${id} limit 3`,
      );
      expect(shown).toContain(index);
      expect(shown).not.toContain('Sort');
    }
  });
});

describe('the sessions of a person', () => {
  const Sessions = z.array(
    z.object({ session: z.string(), timestamp: z.int(), last_used: z.int(), address: z.string().nullable() }),
  );

  async function loggedIn(times: number, deviceOf = (time: number) => `device ${time}`) {
    const account = { username: `sessions${Math.random().toString(36).slice(2, 10)}`, password: 'secret-1' };
    const added = await server('POST', '/user/add', { ...account, nickname: '会话' });
    const { uid } = z.object({ uid: z.int() }).parse(added.data);
    const tokens: string[] = [];
    for (let time = 0; time < times; time++) {
      const { data } = await call(running, 'POST', '/login/login', account, {
        'user-agent': deviceOf(time),
      });
      tokens.push(z.object({ token: z.string() }).parse(data).token);
    }
    const home = async (token: string | undefined) =>
      (await call(running, 'GET', '/pop/get', {}, { authorization: `Bearer ${token}` })).code;
    return { uid, tokens, home };
  }

  test('are listed with what is known of each, never with a token', async () => {
    const { uid, tokens } = await loggedIn(2);
    const answer = await server('GET', '/user/sessions', { uid });
    expect(answer.data).toEqual([
      expect.objectContaining({ address: '127.0.0.0/24', device: 'device 1' }),
      expect.objectContaining({ device: 'device 0', session: expect.stringMatching(/^[0-9a-f]{16}$/) }),
    ]);
    for (const token of tokens) expect(JSON.stringify(answer)).not.toContain(token);
    expect(await server('GET', '/user/sessions', { uid: 999_999 })).toMatchObject({ code: 101 });
  });

  test('keep 200 characters of their User-Agent', async () => {
    const { uid } = await loggedIn(2, (time) => 'x'.repeat(200 + time));
    const kept = { device: 'x'.repeat(200) };
    expect((await server('GET', '/user/sessions', { uid })).data).toMatchObject([kept, kept]);
  });

  test('end one by one or all at once, and the log says that the server’s key ended them', async () => {
    const { uid, tokens, home } = await loggedIn(3);
    const [, , oldest] = Sessions.parse((await server('GET', '/user/sessions', { uid })).data);
    const session = oldest?.session ?? '';
    expect(await server('POST', '/user/endsession', { uid, session })).toEqual(done);
    expect(await Promise.all(tokens.map(home))).toEqual([-1, 0, 0]);
    expect(await server('POST', '/user/endsession', { uid, session })).toMatchObject({ code: 3 });
    expect(await server('POST', '/user/endsession', { uid })).toEqual(done);
    expect(await Promise.all(tokens.map(home))).toEqual([-1, -1, -1]);
    expect(await server('POST', '/user/endsession', { uid: 999_999 })).toMatchObject({ code: 101 });
    const revoked = async () => {
      const records = [];
      for await (const record of running.application.log.readStream(streamName(`access-${uid}`))) {
        const event = decode(record);
        if (event.type === 'SessionRevoked') records.push(event);
      }
      return records;
    };
    await vi.waitUntil(async () => (await revoked()).length === 2, { timeout: 10_000 });
    const events = await revoked();
    expect(events.map(({ data }) => data)).toEqual([
      { uid, session },
      { uid, session: null },
    ]);
    expect(events[0]?.metadata).toMatchObject({ actor: 'server', key: testApp.key });
  });
});

describe('group/list and group/memberlist', () => {
  test('find groups by the beginning of the name, by owner and by gid, with owner, state and members', async () => {
    const [tom, jerry] = [await person(running, '群主汤姆'), await person(running, '杰瑞')];
    const one = await groupOf(tom, '清单甲Team', [jerry]);
    const other = await groupOf(tom, '清单乙');
    const third = await groupOf(jerry, '别的');
    expect((await gidsBy({ groupname: '清单' })).sort()).toEqual([one, other].sort());
    expect(await gidsBy({ groupname: '清单甲tEAM' })).toEqual([one]);
    expect((await gidsBy({ uid: tom.uid })).sort()).toEqual([one, other].sort());
    expect(await gidsBy({ gid: third })).toEqual([third]);
    await tom.post('/group/forbiddenall', { gid: one, value: 1 });
    await jerry.post('/group/delete', { gid: third });
    expect((await groupsBy({ gid: one })).groups).toMatchObject([
      { uid: tom.uid, nickname: '群主汤姆', state: 'normal', member_count: 2, forbidden: true },
    ]);
    expect((await groupsBy({ gid: third })).groups).toMatchObject([{ gid: third, state: 'dissolved' }]);
    const first = await groupsBy({ groupname: '清单', limit: 1 });
    const second = await groupsBy({ groupname: '清单', limit: 1, from: first.next });
    expect([...first.groups, ...second.groups].map(({ gid }) => gid).sort()).toEqual([one, other].sort());
    expect(second.next).toBeNull();
  });

  test('show the members in the order of joining with their roles and mutes', async () => {
    const people = [await person(running, '甲'), await person(running, '乙'), await person(running, '丙')];
    const [owner, manager, muted] = people;
    if (!owner || !manager || !muted) throw new TypeError('three people');
    const gid = await groupOf(owner, '角色', [manager, muted]);
    await owner.post('/group/manager', { gid, uid: manager.uid, value: 1 });
    const time = Math.floor(Date.now() / 1000) + 3600;
    await owner.post('/group/forbiddenuser', { gid, uid: muted.uid, time });
    const list = async (page = {}) =>
      z.array(ListedMember).parse((await server('GET', '/group/memberlist', { gid, ...page })).data);
    expect(await list()).toMatchObject([
      { uid: owner.uid, nickname: '甲', role: 'owner', time: 0, index: 1 },
      { uid: manager.uid, role: 'manager', index: 2 },
      { uid: muted.uid, role: 'member', time, index: 3 },
    ]);
    expect((await list({ index: 2, limit: 1 })).map(({ uid }) => uid)).toEqual([manager.uid]);
    expect(await server('GET', '/group/memberlist', { gid: 1 })).toMatchObject({ code: 701 });
  });
});

test('a person, a stranger and a wrong key are refused every call of the administration', async () => {
  const tom = await client(running, '汤姆');
  const calls = [
    ['get', '/user/list', {}],
    ['get', '/user/sessions', { uid: tom.uid }],
    ['post', '/user/endsession', { uid: tom.uid }],
    ['post', '/user/delete', { uid: tom.uid }],
    ['get', '/group/list', {}],
    ['get', '/group/memberlist', { gid: 1 }],
  ] as const;
  for (const [method, path, parameters] of calls) {
    expect(await tom[method](path, parameters), path).toEqual(refusedWith(2, '没有权限调用该接口'));
    const verb = method === 'get' ? 'GET' : 'POST';
    expect(await call(running, verb, path, parameters, {}), path).toMatchObject({ code: -1 });
    const wrong = { 'x-app-key': testApp.key, 'x-app-secret': 'wrong' };
    expect(await call(running, verb, path, parameters, wrong), path).toMatchObject({ code: 2 });
  }
});
