import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { maxJsonLevels, maxJsonParts } from '../../contracts/json-limits.ts';
import { maxHeaderBytes } from '../../services/api/http-limits.ts';
import { type RunningApplication, serverKey, startApplication } from '../support/application.ts';
import { befriend, call, type Person, refusedWith, two } from '../support/client.ts';

let running: RunningApplication;
let tom: Person;
let jerry: Person;
beforeAll(async () => {
  running = await startApplication();
  [tom, jerry] = await two(running);
  await befriend(tom, jerry);
});
afterAll(() => running.stop());

async function post(path: string, type: string, payload: string | Buffer) {
  const headers = { ...serverKey, 'content-type': type };
  const answer = await running.server.inject({ method: 'POST', url: `/api${path}`, headers, payload });
  return { status: answer.statusCode, ...answer.json() };
}

/** A body of one field beside `login_uid`, as a client with another charset would send it. */
const latin1 = {
  form: (name: string) => [
    'application/x-www-form-urlencoded',
    Buffer.from(`login_uid=${tom.uid}&friend_uid=${jerry.uid}&${name}=caf\xe9`, 'latin1'),
  ],
  'form with escapes': (name: string) => [
    'application/x-www-form-urlencoded',
    `login_uid=${tom.uid}&friend_uid=${jerry.uid}&${name}=caf%e9`,
  ],
  multipart: (name: string) => [
    'multipart/form-data; boundary=x',
    multipart({ login_uid: `${tom.uid}`, friend_uid: `${jerry.uid}`, [name]: 'caf\xe9' }),
  ],
  'multipart that claims UTF-8': (name: string) => [
    'multipart/form-data; boundary=x',
    multipart(
      { login_uid: `${tom.uid}`, friend_uid: `${jerry.uid}`, [name]: 'caf\xe9' },
      '\r\nContent-Type: text/plain; charset=utf-8',
    ),
  ],
} as const satisfies Record<string, (name: string) => readonly [string, string | Buffer]>;

function multipart(fields: Readonly<Record<string, string>>, more = ''): Buffer {
  const parts = Object.entries(fields).map(
    ([name, value]) => `--x\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`,
  );
  return Buffer.from(`${parts.join('')}--x--\r\n`, 'latin1');
}

describe('a text that is no UTF-8', () => {
  test.each(Object.entries(latin1))('in a %s is illegal, by the name of its parameter', async (_, bodyOf) => {
    const [type, body] = bodyOf('remark');
    expect(await post('/friend/remark', type, body)).toEqual({
      ...{ status: 200, ...refusedWith(2, '参数remark不合法') },
    });
    const [, ignored] = bodyOf('unknown');
    const missing = await post('/friend/remark', type, ignored);
    expect(missing).toEqual({ status: 200, ...refusedWith(1, '缺少参数remark') });
  });

  test('in a query is illegal, by the name of its parameter', async () => {
    const url = `/api/user/get?login_uid=${tom.uid}&username=caf%e9`;
    const answer = await running.server.inject({ url, headers: serverKey });
    expect(answer.json()).toEqual(refusedWith(2, '参数username不合法'));
  });
});

test('a stray % in a form changes nothing around it', async () => {
  const form = `login_uid=${tom.uid}&to=${jerry.uid}&type=friend&content=100%+%E7%8C%AB`;
  expect(await post('/message/send', 'application/x-www-form-urlencoded', form)).toMatchObject({ code: 0 });
  const { data } = await jerry.get('/message/get', { id: tom.uid, type: 'friend' });
  expect(data).toMatchObject([{ content: '100% 猫' }]);
});

test('a multipart form with a field of JSON carries that field as a text', async () => {
  const content = '{"a":["[["]}';
  const body = multipart(
    { login_uid: `${tom.uid}`, to: `${jerry.uid}`, type: 'friend', content },
    '\r\nContent-Type: application/json',
  );
  expect(await post('/message/send', 'multipart/form-data; boundary=x', body)).toMatchObject({ code: 0 });
  const { data } = await jerry.get('/message/get', { id: tom.uid, type: 'friend', limit: 1 });
  expect(data).toMatchObject([{ content }]);
});

describe('JSON', () => {
  const nested = (levels: number) =>
    `{"login_uid":${tom.uid},"friend_uid":${jerry.uid},"remark":"","more":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;

  test('may be 64 levels deep, and no deeper', async () => {
    expect(maxJsonLevels).toBe(64);
    const json = 'application/json';
    expect(await post('/friend/remark', json, nested(64))).toMatchObject({ status: 200, code: 0 });
    expect(await post('/friend/remark', json, nested(65))).toEqual({
      ...{ status: 400, ...refusedWith(2, '请求内容无法解析') },
    });
  });

  test('may have 2,000 names, lists and objects, and no more', async () => {
    expect(maxJsonParts).toBe(2_000);
    const named = (names: number) => {
      const more = Array.from({ length: names - 3 }, (_, index) => `"n${index}":1`).join(',');
      return `{"login_uid":${tom.uid},"friend_uid":${jerry.uid},"remark":"",${more}}`;
    };
    expect(await post('/friend/remark', 'application/json', named(1_999))).toMatchObject({ code: 0 });
    expect(await post('/friend/remark', 'application/json', named(2_000))).toMatchObject({ status: 400 });
  });

  test('that is empty is no body', async () => {
    const sent = await post('/friend/remark', 'application/json', '');
    expect(sent).toEqual({ status: 200, ...refusedWith(1, '缺少参数login_uid') });
  });
});

test.each([
  ['application/json', '{}'],
  ['application/x-www-form-urlencoded', 'a=1'],
  ['multipart/form-data; boundary=x', '--x--'],
])('a compressed body of %s is refused, and the header that says so is named', async (type, body) => {
  const headers = { ...serverKey, 'content-type': type, 'content-encoding': 'gzip' };
  const answer = await fetch(`${running.url}/api/friend/remark`, { method: 'POST', headers, body });
  expect([answer.status, await answer.json()]).toEqual([
    ...[415, refusedWith(415, '不支持的Content-Encoding,请发送未压缩的内容')],
  ]);
  const plain = { ...headers, 'content-encoding': 'identity' };
  const sent = await fetch(`${running.url}/api/friend/remark`, { method: 'POST', headers: plain, body });
  expect(sent.status).toBe(200);
});

test('plain text is no type that is read', async () => {
  expect(await post('/friend/remark', 'text/plain', 'login_uid=1')).toMatchObject({ status: 415, code: 415 });
});

describe('a list', () => {
  test('of 1,000 uids is accepted in a query, in each way to write it', async () => {
    const uids = Array.from({ length: 999 }, (_, index) => Number.MAX_SAFE_INTEGER - index);
    const queries = [
      uids.map((uid, index) => `uid%5B${index}%5D=${uid}`),
      uids.map((uid) => `uid%5B%5D=${uid}`),
    ].map((parts) => [...parts, `uid%5B%5D=${tom.uid}`].join('&'));
    for (const query of queries) {
      const answer = await fetch(`${running.url}/api/user/multiGet?${query}`, { headers: serverKey });
      expect([answer.status, await answer.json()]).toMatchObject([
        200,
        { code: 0, data: [{ uid: tom.uid }] },
      ]);
    }
  });

  test('of 1,001 uids is refused, and so is one of 100,000, before its elements are checked', async () => {
    for (const length of [1001, 100_000]) {
      const uid = Array<number>(length).fill(0);
      const sent = await call(running, 'POST', '/user/multiGet', { uid });
      expect(sent).toEqual(refusedWith(2, '参数uid不合法'));
    }
  });
});

test('a request’s line and headers may have 48 KB, and no more', async () => {
  expect(maxHeaderBytes).toBe(48 * 1024);
  const ask = async (bytes: number) => {
    const answer = await fetch(`${running.url}/api/pop/getsetting?${'x'.repeat(bytes)}`);
    return [answer.status, await answer.json()];
  };
  expect(await ask(47 * 1024)).toMatchObject([200, { code: 0 }]);
  expect(await ask(49 * 1024)).toMatchObject([413, { code: 413 }]);
});

describe('a method', () => {
  test.each([
    ['GET', '/api/message/send', 'POST'],
    ['GET', '/api/message/send/', 'POST'],
    ['POST', '/api/message/get', 'GET'],
    ['PUT', '/api/user/multiGet', 'GET, POST'],
    ['DELETE', '/api/qrcode/get', 'GET, HEAD'],
  ] as const)(
    '%s, which %s does not have, is answered with the header Allow: %s',
    async (method, url, allow) => {
      const answer = await running.server.inject({ method, url, headers: serverKey });
      expect([answer.statusCode, answer.headers.allow, answer.json()]).toMatchObject([
        ...[405, allow, { code: 405 }],
      ]);
    },
  );

  test('HEAD reads no messages and adds nobody', async () => {
    await tom.post('/message/send', { to: jerry.uid, type: 'friend', content: '还没读' });
    const unread = () => jerry.get('/message/unreadcount', { id: tom.uid, type: 'friend' });
    const before = await unread();
    expect(before.data).toBeGreaterThan(0);
    const queries = [
      `/api/message/get?login_uid=${jerry.uid}&id=${tom.uid}&type=friend`,
      '/api/user/add?username=headless&nickname=x&password=secret-1',
    ];
    for (const url of queries) {
      const answer = await running.server.inject({ method: 'HEAD', url, headers: serverKey });
      expect([answer.statusCode, answer.body]).toEqual([405, '']);
    }
    expect(await unread()).toEqual(before);
    expect(await call(running, 'GET', '/user/get', { username: 'headless' })).toMatchObject({ code: 101 });
  });
});
