import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningApplication, startApplication } from '../support/application.ts';
import { call, refusedWith } from '../support/client.ts';

let running: RunningApplication;
let cookie: string;
beforeAll(async () => {
  running = await startApplication();
  const account = { username: 'browsing', nickname: 'tom', password: 'secret-1' };
  await call(running, 'POST', '/user/add', account);
  const answer = await running.server.inject({ method: 'POST', url: '/api/login/login', payload: account });
  cookie = String(answer.headers['set-cookie']).split(';', 1)[0] ?? '';
  await call(running, 'POST', '/setting/update', {
    origins: 'https://friend.example, https://other.example',
  });
});
afterAll(() => running.stop());

/** As a browser would ask for a page of that origin. */
async function asPageOf(origin: string | undefined, method: 'GET' | 'OPTIONS' = 'GET') {
  const headers = { cookie, host: 'im.example', ...(origin === undefined ? {} : { origin }) };
  const preflight = {
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization',
  };
  const answer = await running.server.inject({
    ...{ method, url: '/api/pop/get' },
    headers: method === 'OPTIONS' ? { ...headers, ...preflight } : headers,
  });
  const { 'access-control-allow-origin': allowed, 'access-control-allow-credentials': credentials } =
    answer.headers;
  return {
    status: answer.statusCode,
    allowed,
    credentials,
    code: method === 'GET' ? answer.json().code : undefined,
  };
}

describe('a page', () => {
  test.each(['https://im.example', 'https://friend.example', 'https://other.example'])(
    'of %s, our own or an allowed one, may use its visitor’s cookie',
    async (origin) => {
      const seen = { allowed: origin, credentials: 'true' };
      expect(await asPageOf(origin)).toEqual({ status: 200, ...seen, code: 0 });
      expect(await asPageOf(origin, 'OPTIONS')).toMatchObject({ status: 204, ...seen });
    },
  );

  test.each([
    'https://evil.example',
    'https://friend.example.evil.example',
    'null',
    'https://im.example:444',
  ])('of %s may read answers, but not by the cookie', async (origin) => {
    const seen = { allowed: '*', credentials: undefined };
    expect(await asPageOf(origin)).toEqual({ status: 200, ...seen, code: -1 });
    expect(await asPageOf(origin, 'OPTIONS')).toMatchObject({ status: 204, ...seen });
  });

  test('that sends no origin, as a program, may use the cookie and gets no CORS headers', async () => {
    expect(await asPageOf(undefined)).toEqual({
      status: 200,
      allowed: undefined,
      credentials: undefined,
      code: 0,
    });
  });

  test('may send the headers of clients of the original product', async () => {
    const headers = 'token, sso, skiptoken, x-requested-with, x-csrf-token, x-socket-id';
    const answer = await running.server.inject({
      method: 'OPTIONS',
      url: '/api/message/send',
      headers: {
        origin: 'https://any.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': headers,
      },
    });
    const allowed = String(answer.headers['access-control-allow-headers']).split(/, */);
    expect(allowed).toEqual(expect.arrayContaining(headers.split(', ')));
  });

  test('may send a token and read the position of its command', async () => {
    const answer = await running.server.inject({
      method: 'OPTIONS',
      url: '/api/message/send',
      headers: { origin: 'https://any.example', 'access-control-request-method': 'POST' },
    });
    expect(answer.headers['access-control-allow-headers']).toMatch(/authorization/);
    expect(answer.headers['access-control-expose-headers']).toMatch(/x-position/);
  });
});

test('OPTIONS that asks for nothing is refused as any wrong method is', async () => {
  for (const origin of ['https://any.example', 'https://im.example', undefined]) {
    const headers = { host: 'im.example', ...(origin === undefined ? {} : { origin }) };
    const answer = await running.server.inject({ method: 'OPTIONS', url: '/api/message/send', headers });
    expect(answer.statusCode).toBe(405);
    expect(answer.json()).toMatchObject(refusedWith(405, '不支持的请求方法'));
  }
});

test('answers say that they are nothing to run, to sniff or to frame', async () => {
  for (const url of ['/api/pop/getsetting', '/nowhere', '/static/img/avatar.jpg']) {
    expect((await running.server.inject({ url })).headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      vary: 'Origin',
    });
  }
});

describe('logging in', () => {
  const logIn = (origin?: string) =>
    running.server.inject({
      ...{ method: 'POST', url: '/api/login/login' },
      headers: { host: 'im.example', ...(origin === undefined ? {} : { origin }) },
      payload: { username: 'browsing', password: 'secret-1' },
    });

  test.each([undefined, 'https://im.example', 'https://friend.example'])(
    'sets the cookie for %s',
    async (origin) => {
      const answer = await logIn(origin);
      expect(answer.json()).toMatchObject({ code: 0, data: { token: expect.any(String) } });
      expect(answer.headers['set-cookie']).toMatch(/^token=.+; HttpOnly/);
    },
  );

  test.each(['https://evil.example', 'null'])(
    'gives a page of %s its token, and leaves its visitor’s cookie alone',
    async (origin) => {
      const answer = await logIn(origin);
      expect(answer.json()).toMatchObject({ code: 0, data: { token: expect.any(String) } });
      expect(answer.headers['set-cookie']).toBeUndefined();
    },
  );
});

describe('an answer', () => {
  const cacheControl = async (url: string) => {
    const answer = await running.server.inject({ url, headers: { cookie } });
    return answer.headers['cache-control'];
  };

  test.each([
    '/api/pop/get',
    '/api/pop/getsetting',
    '/api/login/captcha',
    '/api/nowhere',
    '/nowhere',
    '/upload/none',
    '/api/qrcode/get?content=',
  ])('to %s is kept nowhere', async (url) => {
    expect(await cacheControl(url)).toBe('no-store');
  });

  test.each([
    ['/static/img/avatar.jpg', 'public, max-age=86400'],
    ['/api/qrcode/get?content=x', 'public, max-age=86400'],
  ])('to %s is for all, and kept', async (url, kept) => {
    expect(await cacheControl(url)).toBe(kept);
  });
});

describe('a request that is hardly one', () => {
  const { hostname, port } = { hostname: '127.0.0.1', port: () => Number(new URL(running.url).port) };

  test.each(['GET /api/user/get?nickname=\xe7\x8c\xab HTTP/1.1\r\nHost: x\r\n\r\n', 'nonsense\r\n\r\n'])(
    '%j is refused in the envelope',
    async (bytes) => {
      const socket = connect(port(), hostname);
      socket.end(Buffer.from(bytes, 'latin1'));
      const answer = await text(socket);
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      expect(JSON.parse(answer.slice(answer.indexOf('{')))).toEqual(refusedWith(2, '请求内容无法解析'));
    },
  );

  test.each([
    ['no JSON', Buffer.from('{"username":')],
    ['not UTF-8', Buffer.from('{"username":"caf\xe9","password":"x"}', 'latin1')],
  ])('with a body that is %s is unreadable', async (_, body) => {
    const asking = request(`${running.url}/api/login/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    });
    asking.end(body);
    const answer = await new Promise<IncomingMessage>((resolve) => asking.on('response', resolve));
    expect([answer.statusCode, JSON.parse(await text(answer))]).toEqual([
      400,
      refusedWith(2, '请求内容无法解析'),
    ]);
  });
});
