import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type RunningApplication, serverKey, startApplication } from '../support/application.ts';
import { call, client, createGroup, done, type Person, person, refusedWith, two } from '../support/client.ts';
import { inOneSecond } from '../support/in-one-second.ts';
import { query } from '../support/installation.ts';

let running: RunningApplication;
beforeAll(async () => {
  running = await startApplication();
});
afterAll(() => running.stop());

const set = (changes: Record<string, unknown>) => call(running, 'POST', '/setting/update', changes);

describe('requests a second', () => {
  async function ask(headers: Readonly<Record<string, string>>, remoteAddress = '127.0.0.1') {
    const answer = await running.server.inject({ url: '/api/pop/getsetting', headers, remoteAddress });
    const { code } = z.object({ code: z.int() }).parse(answer.json());
    return `${answer.statusCode} ${code}`;
  }
  const times = <Answer>(many: number, request: () => Promise<Answer>) =>
    Array.from({ length: many }, request);

  async function loggedIn(): Promise<Record<string, string>> {
    const { uid } = await person(running, 'tom');
    const profile = await call(running, 'GET', '/user/get', { uid });
    const { username } = z.object({ username: z.string() }).parse(profile.data);
    const login = await call(running, 'POST', '/login/login', { username, password: 'secret-1' });
    const { token } = z.object({ token: z.string() }).parse(login.data);
    return { authorization: `Bearer ${token}` };
  }

  afterEach(() => set({ limit_token: 5000, limit_address: 100 }));

  test('without a token are 100 for an address, unless set otherwise', async () => {
    const [here, there] = [() => ask({}), () => ask({}, '10.0.0.2')];
    const answers = await inOneSecond(() => [...times(101, here), ...times(100, there)]);
    expect(answers.slice(0, 101).sort()).toEqual([...Array(100).fill('200 0'), '429 429']);
    expect(new Set(answers.slice(101))).toEqual(new Set(['200 0']));

    await set({ limit_address: 3 });
    expect((await inOneSecond(() => times(4, here))).sort()).toEqual([...Array(3).fill('200 0'), '429 429']);
    // An ended token counts as no token.
    const dead = () => ask({ authorization: 'Bearer dead' });
    expect((await inOneSecond(() => times(4, dead))).sort()).toEqual([...Array(3).fill('200 0'), '429 429']);
  });

  test('with a token are limited for each token, from all addresses together', async () => {
    const [tom, again] = [await loggedIn(), await loggedIn()];
    await set({ limit_token: 5, limit_address: 1 });
    const answers = await inOneSecond(() => [
      ...times(3, () => ask(tom)),
      ...times(3, () => ask(tom, '10.0.0.3')),
      ...times(5, () => ask(again)),
    ]);
    expect(answers.slice(0, 6).sort()).toEqual([...Array(5).fill('200 0'), '429 429']);
    expect(new Set(answers.slice(6))).toEqual(new Set(['200 0']));
  });

  test('of one IPv6 network of 64 bits count together, and of an IPv4 address however it is written', async () => {
    await set({ limit_address: 3 });
    const hosts = (...addresses: string[]) => addresses.map((address) => ask({}, address));
    const six = await inOneSecond(() =>
      hosts('2001:db8::1', '2001:db8::2', '2001:db8:0:0:ff::3', '2001:DB8::4'),
    );
    expect(six.sort()).toEqual([...Array(3).fill('200 0'), '429 429']);
    const others = await inOneSecond(() =>
      hosts('2001:db8:0:1::1', '2001:db8:0:2::1', '2001:db8:1::1', '::1'),
    );
    expect(others).toEqual(Array(4).fill('200 0'));
    const four = await inOneSecond(() => hosts('10.0.0.9', '::ffff:10.0.0.9', '::FFFF:10.0.0.9', '10.0.0.9'));
    expect(four.sort()).toEqual([...Array(3).fill('200 0'), '429 429']);
  });

  test('with a wrong key count for their address, as do unknown paths', async () => {
    await set({ limit_address: 3 });
    const wrong = { ...serverKey, 'x-app-secret': 'wrong' };
    const keys = await inOneSecond(() => times(4, () => ask(wrong)));
    expect(keys.sort()).toEqual([...Array(3).fill('200 2'), '429 429']);
    const nowhere = async (method: 'GET' | 'POST' = 'GET') => {
      const { statusCode } = await running.server.inject({ method, url: '/nowhere' });
      return statusCode;
    };
    expect((await inOneSecond(() => Array.from({ length: 4 }, () => nowhere()))).sort()).toEqual([
      ...[404, 404, 404, 429],
    ]);
    const mixed = await inOneSecond<string | number>(() => [
      nowhere(),
      nowhere('POST'),
      ask({}),
      ask({}, '10.0.0.4'),
      ask({}),
    ]);
    expect(mixed).toEqual([404, 404, '200 0', '200 0', '429 429']);
  });

  test('whose token cannot be looked up count for nobody: the fault is ours', async () => {
    await set({ limit_address: 3 });
    const unknown = (index: number) => ask({ authorization: `Bearer ${String(index).padStart(43, 'a')}` });
    await query(running.databaseUrl, 'alter table accounts.tokens rename to tokens_away');
    try {
      const answers = await inOneSecond(() => [0, 1, 2, 3, 4].map(unknown));
      expect(answers.filter((answer) => answer.startsWith('429'))).toEqual([]);
    } finally {
      await query(running.databaseUrl, 'alter table accounts.tokens_away rename to tokens');
    }
  });

  test('for files are ten times those for calls', async () => {
    await set({ limit_address: 2 });
    const file = async (url: string) => (await running.server.inject({ url })).statusCode;
    const answers = await inOneSecond<string | number>(() => [
      ...Array.from({ length: 20 }, (_, index) =>
        file(index % 2 ? '/upload/images/202601/none.png' : '/static/img/avatar.jpg'),
      ),
      file('/upload/images/202601/none.png'),
      file('/static/img/avatar.jpg'),
      ...times(2, () => ask({})),
    ]);
    expect(new Set(answers.slice(0, 20))).toEqual(new Set([200, 404]));
    expect(answers.slice(20)).toEqual([429, 429, '200 0', '200 0']);
  });

  test.each([
    ['too many, over the limit', 429, 429],
    ['a stranger’s, for a call that needs a login', 200, -1],
  ])('are answered before their body comes: %s', async (_, status, code) => {
    await set({ limit_address: status === 429 ? 1 : 100 });
    const path = status === 429 ? '/api/login/login' : '/api/message/send';
    const asking = async () => {
      const socket = connect(Number(new URL(running.url).port), '127.0.0.1');
      socket.write(
        `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999\r\n\r\n{`,
      );
      const [data] = await once(socket, 'data');
      socket.destroy();
      return String(data);
    };
    const [, answer] = await inOneSecond(() => [ask({}), asking()]);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toContain(`{"code":${code},`);
  });

  test('with the server’s key are without limit', async () => {
    await set({ limit_token: 1, limit_address: 1 });
    const answers = await inOneSecond(() => times(50, () => ask(serverKey)));
    expect(new Set(answers)).toEqual(new Set(['200 0']));
  });
});

describe('commands', () => {
  test('of a person are limited by the hour, and a long one counts by its KB', async () => {
    const [tom, jerry] = [await client(running, 'tom'), await client(running, 'jerry')];
    const say = (from: Person, to: Person, content: string) =>
      from.post('/message/send', { type: 'friend', to: to.uid, content });
    await set({ limit_commands: 3 });
    for (const content of ['一', '二']) expect(await say(tom, jerry, content)).toMatchObject({ code: 0 });
    expect(await tom.post('/group/create', { members: [jerry.uid] })).toMatchObject({ code: 0 });
    const refused = refusedWith(429, '请求过于频繁,请稍后再试');
    expect(await say(tom, jerry, '三')).toEqual(refused);
    expect(await tom.post('/group/create')).toEqual(refused);
    expect(await tom.get('/friend/getlist')).toMatchObject({ code: 0 });
    // The server's key has no such limit, whomever it acts for.
    const asTom = { login_uid: tom.uid, type: 'friend', to: jerry.uid, content: '三' };
    expect(await call(running, 'POST', '/message/send', asTom)).toMatchObject({ code: 0 });
    expect(await say(jerry, tom, 'x'.repeat(2_048))).toMatchObject({ code: 0 });
    expect(await say(jerry, tom, '四')).toEqual(refused);
    await set({ limit_commands: 60_000 });
  });
});

describe('joining groups', () => {
  test('is refused while joining by code is switched off', async () => {
    const [tom, jerry] = await two(running);
    const gid = await createGroup(tom);
    await set({ qrcode_group: 'off' });
    expect(await jerry.post('/group/join', { gid })).toEqual(refusedWith(206, '扫码加群功能已关闭'));
    // Inviting is no joining by code.
    expect(await tom.post('/group/memberadd', { gid, members: [jerry.uid] })).toEqual(done);
    await set({ qrcode_group: 'on' });
    expect(await (await person(running, 'spike')).post('/group/join', { gid })).toEqual(done);
  });
});

describe('creating groups', () => {
  test('is refused while it is switched off, but not its repeat', async () => {
    const tom = await person(running, 'tom');
    const created = await tom.post('/group/create', { uniqueId: 'one' });
    expect(created).toMatchObject({ code: 0 });
    await set({ create_group: 'off' });
    expect(await tom.post('/group/create')).toEqual(refusedWith(702, '创建群组功能已关闭'));
    expect(await tom.post('/group/create', { uniqueId: 'one' })).toEqual(created);
    await set({ create_group: 'on' });
    expect(await tom.post('/group/create')).toMatchObject({ code: 0 });
  });

  test('accepts at most 1,000 uids, and so do inviting and removing', async () => {
    const [tom, jerry] = await two(running);
    const gid = await createGroup(tom);
    for (const path of ['/group/create', '/group/memberadd', '/group/memberdel']) {
      const members = Array<number>(1000).fill(jerry.uid);
      // A group that is created may have a number of its own.
      const given = path === '/group/create' ? {} : { gid };
      expect(await tom.post(path, { ...given, members }), path).toMatchObject({ code: 0 });
      expect(await tom.post(path, { ...given, members: [...members, jerry.uid] }), path).toEqual({
        ...refusedWith(2, '参数members不合法'),
      });
    }
  });
});

describe('a body', () => {
  const post = async (path: string, bytes: number, value: (length: number) => object) => {
    const empty = JSON.stringify(value(0)).length;
    const payload = JSON.stringify(value(bytes - empty));
    const headers = { ...serverKey, 'content-type': 'application/json' };
    const answer = await running.server.inject({ method: 'POST', url: `/api${path}`, headers, payload });
    return [answer.statusCode, z.object({ code: z.int() }).parse(answer.json()).code];
  };

  test('of a call that anyone may make may have up to 16 KB', async () => {
    const login = (length: number) => ({ username: 'x', password: 'y', unknown: 'x'.repeat(length) });
    expect(await post('/login/login', 16 * 1024, login)).toEqual([200, 2]);
    expect(await post('/login/login', 16 * 1024 + 1, login)).toEqual([413, 413]);
  });

  test('may have up to 256 KB', async () => {
    const unknown = (length: number) => ({ uid: 1, unknown: 'x'.repeat(length) });
    expect(await post('/user/multiGet', 256 * 1024, unknown)).toEqual([200, 0]);
    expect(await post('/user/multiGet', 256 * 1024 + 1, unknown)).toEqual([413, 413]);
  });

  test('of settings may have 3 MB, for the longest of them', async () => {
    const unknown = (length: number) => ({ revoke_seconds: 120, unknown: 'x'.repeat(length) });
    expect(await post('/setting/update', 3 * 1024 * 1024, unknown)).toEqual([200, 0]);
    expect(await post('/setting/update', 3 * 1024 * 1024 + 1, unknown)).toEqual([413, 413]);
  });
});
