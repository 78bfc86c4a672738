import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { createHttp } from '../../services/api/http.ts';
import { networkOf } from '../../services/edge/client-network.ts';
import { clientOf, type Proxies, trustOf } from '../../services/edge/proxies.ts';
import { silent } from '../support/accounts.ts';
import { type RunningApplication, startApplication } from '../support/application.ts';
import { afterAllTests } from '../support/at-end.ts';
import { call } from '../support/client.ts';

type Headers = Readonly<Record<string, string>>;

/** The client of a request from `from`, as a server sees it that trusts these proxies. */
async function seen(proxies: Proxies | undefined, from: string, headers: Headers) {
  const trust = trustOf(proxies);
  const server = await createHttp(silent, trust);
  onTestFinished(() => server.close());
  server.get('/', ({ ip, protocol, host, raw }) => [{ address: ip, protocol, host }, clientOf(raw, trust)]);
  const answer = await server.inject({ url: '/', remoteAddress: from, headers: { host: 'im', ...headers } });
  const [http, websocket] = answer.json();
  // A websocket gets the same client.
  expect(websocket).toEqual(http);
  return http;
}

const forwarded = {
  'x-forwarded-for': '203.0.113.9, 198.51.100.7',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'im.example',
};

describe('the client of a request', () => {
  test('is the peer of the connection, not what headers name, if no proxy is trusted', async () => {
    const direct = { address: '10.0.0.1', protocol: 'http', host: 'im' };
    expect(await seen(undefined, '10.0.0.1', forwarded)).toEqual(direct);
    expect(await seen(0, '10.0.0.1', forwarded)).toEqual(direct);
    expect(await seen(['10.0.0.2'], '10.0.0.1', forwarded)).toEqual(direct);
  });

  test('is the one whom the trusted proxy names last', async () => {
    const client = { address: '198.51.100.7', protocol: 'https', host: 'im.example' };
    expect(await seen(1, '10.0.0.1', forwarded)).toEqual(client);
    expect(await seen(['10.0.0.0/8', '::1'], '10.0.0.1', forwarded)).toEqual(client);
    expect(await seen(['10.0.0.1'], '::ffff:10.0.0.1', forwarded)).toEqual(client);
  });

  test('is found behind as many proxies as are trusted, and no further', async () => {
    expect(await seen(2, '10.0.0.1', forwarded)).toMatchObject({ address: '203.0.113.9' });
    const networks = ['10.0.0.0/8', '198.51.100.0/24'];
    expect(await seen(networks, '10.0.0.1', forwarded)).toMatchObject({ address: '203.0.113.9' });
    const longer = { 'x-forwarded-for': `192.0.2.1, ${forwarded['x-forwarded-for']}` };
    expect(await seen(2, '10.0.0.1', longer)).toMatchObject({ address: '203.0.113.9' });
  });

  test('is the proxy itself if that names nobody', async () => {
    const client = { address: '10.0.0.1', protocol: 'http', host: 'im' };
    expect(await seen(1, '10.0.0.1', {})).toEqual(client);
  });

  test('came by the protocol and the host that the nearest proxy names, of several values the last', async () => {
    const headers = { 'x-forwarded-proto': 'http, https', 'x-forwarded-host': 'evil.example, im.example' };
    expect(await seen(1, '10.0.0.1', headers)).toMatchObject({ protocol: 'https', host: 'im.example' });
  });
});

describe('behind a proxy at 10.0.0.1 that is trusted', () => {
  const atEnd = afterAllTests();
  let started: Promise<RunningApplication> | undefined;
  const running = () => {
    started ??= startApplication({ trust: trustOf(['10.0.0.1']) }).then((application) => {
      atEnd(() => application.stop());
      return application;
    });
    return started;
  };

  async function ask(url: string, headers: Headers, payload?: object, remoteAddress = '10.0.0.1') {
    const { server } = await running();
    return server.inject({
      ...(payload === undefined ? { method: 'GET' } : { method: 'POST', payload }),
      ...{ url: `/api${url}`, remoteAddress, headers: { host: 'im.example', ...headers } },
    });
  }
  const codeOf = (answer: { json(): unknown }) => z.object({ code: z.int() }).parse(answer.json()).code;

  test('clients are given a wss address, and a ws one if the proxy did not say https', async () => {
    const address = async (headers: Headers, from?: string) =>
      (await ask('/pop/getsetting', headers, undefined, from)).json().data.ws_address;
    expect(await address({ 'x-forwarded-proto': 'https' })).toMatch(/^wss:\/\/im\.example/);
    expect(await address({})).toMatch(/^ws:\/\/im\.example/);
    expect(await address({ 'x-forwarded-proto': 'https' }, '10.0.0.2')).toMatch(/^ws:\/\//);
    expect(await address({ 'x-forwarded-host': 'chat.example' })).toMatch(/^ws:\/\/chat\.example/);
  });

  test('the cookie of a login over https is Secure', async () => {
    const account = { username: 'securetom', nickname: 'tom', password: 'secret-1' };
    await call(await running(), 'POST', '/user/add', account);
    const cookieOver = async (protocol: string) =>
      String((await ask('/login/login', { 'x-forwarded-proto': protocol }, account)).headers['set-cookie']);
    expect(await cookieOver('https')).toMatch(/; Secure/);
    expect(await cookieOver('http')).not.toMatch(/Secure/);
  });

  test('a cookie acts for pages of the host and protocol that the proxy names, and for no others', async () => {
    const account = { username: 'origintom', nickname: 'tom', password: 'secret-1' };
    await call(await running(), 'POST', '/user/add', account);
    const login = await ask('/login/login', {}, account);
    const cookie = String(login.headers['set-cookie']).split(';', 1)[0] ?? '';
    const inside = { cookie, host: 'inside:8787', 'x-forwarded-host': 'im.example' };
    const post = async (origin: string, headers: Headers) =>
      codeOf(await ask('/user/update', { ...inside, origin, ...headers }, { sign: '懒' }));
    const https = { 'x-forwarded-proto': 'https' };
    expect(await post('https://im.example', https)).toBe(0);
    expect(await post('https://im.example', { ...https, 'x-forwarded-host': 'im.example:443' })).toBe(0);
    expect(await post('http://im.example', https)).toBe(-1);
    expect(await post('https://inside:8787', https)).toBe(-1);
    expect(await post('https://evil.example', https)).toBe(-1);
    expect(await post('http://im.example', {})).toBe(0);
  });

  test('each stranger has a limit of their own, and a forged address does not extend it', async () => {
    await call(await running(), 'POST', '/setting/update', { limit_address: 1 });
    const many = (headers: (index: number) => Headers, from?: string) =>
      Promise.all(
        Array.from({ length: 30 }, (_, index) => ask('/pop/getsetting', headers(index), undefined, from)),
      );
    const refused = (answers: readonly { statusCode: number }[]) =>
      answers.filter(({ statusCode }) => statusCode === 429).length;
    const named = (index: number) => ({ 'x-forwarded-for': `198.51.100.${index}` });
    expect(refused(await many(named))).toBe(0);
    const forged = (index: number) => ({ 'x-forwarded-for': `198.51.100.${index}, 203.0.113.9` });
    expect(refused(await many(forged))).toBeGreaterThan(0);
    expect(refused(await many(named, '10.0.0.2'))).toBeGreaterThan(0);
    await call(await running(), 'POST', '/setting/update', { limit_address: 100 });
  });

  test('codes by SMS are counted by the address that the proxy names', async () => {
    const { application } = await running();
    await ask(
      '/service/send_sms',
      { 'x-forwarded-for': '203.0.113.77' },
      { phone: '13812340001', type: 'register' },
    );
    const { rows } = await application.pool.query(
      "select address from accounts.sms_codes where phone = '13812340001'",
    );
    expect(rows).toEqual([{ address: '203.0.113.77' }]);
  });
});

describe('what is counted in place of an address', () => {
  test('is the same for all connections of a client whose proxy writes their ports', () => {
    for (const written of [
      '203.0.113.9',
      '203.0.113.9:1024',
      '203.0.113.9:65535',
      '[::ffff:203.0.113.9]:1',
    ]) {
      expect(networkOf(written)).toBe('203.0.113.9');
    }
    for (const written of [
      '2001:db8:0:1::7',
      '2001:DB8::1:0:0:0:8',
      '[2001:db8:0:1::9]',
      '[2001:db8:0:1::9]:443',
    ]) {
      expect(networkOf(written)).toBe('2001:db8:0:1::/64');
    }
    expect(networkOf('2001:db8:0:2::7')).not.toBe('2001:db8:0:1::/64');
  });
});
