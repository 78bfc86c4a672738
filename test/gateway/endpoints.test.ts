import { createHash } from 'node:crypto';
import PusherServer from 'pusher';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defaultSettings } from '../../contracts/settings.ts';
import { tokenHash } from '../../services/accounts/token-hash.ts';
import { sign } from '../../services/app-keys/signature.ts';
import { signatureFault } from '../../services/gateway/http/server-signature.ts';
import { inOneSecond } from '../support/in-one-second.ts';
import { Client } from './client.ts';
import { app, Installation, strangeToken } from './harness.ts';

const installation = await Installation.open();
const [first, second] = [await installation.start(), await installation.start()];
const token = await installation.register(9, 'Anne');
await installation.register(10);
await installation.createGroup(50, [9]);
afterAll(() => installation.close());

const address = (path: string) => `http://127.0.0.1:${first.port}${path}`;
const asServer = { 'x-app-key': app.key, 'x-app-secret': app.secret };
const Auth = z.object({ auth: z.string(), channel_data: z.string() });

async function postJson(path: string, body: object, headers: Record<string, string> = {}) {
  const answer = await fetch(address(path), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: await answer.json() };
}

async function postForm(path: string, body: Record<string, string>, headers: Record<string, string> = {}) {
  const answer = await fetch(address(path), { method: 'POST', headers, body: new URLSearchParams(body) });
  return { status: answer.status, body: await answer.json() };
}

const bearer = (value: string) => ({ authorization: `Bearer ${value}` });

describe('channel auth', () => {
  test.each(['/pusher/auth', '/plugin/webman/push/auth'])('%s signs for JSON and for forms', async (path) => {
    for (const post of [postJson, postForm]) {
      const asked = { socket_id: '12.34', channel_name: 'private-user-9' };
      const { status, body } = await post(path, asked, bearer(token));
      expect(status).toBe(200);
      const { auth, channel_data } = Auth.parse(body);
      expect(JSON.parse(channel_data)).toEqual({ user_id: '9', session: tokenHash(token) });
      expect(auth).toBe(`${app.key}:${sign(app, `12.34:private-user-9:${channel_data}`)}`);
    }
  });

  test('accepts the token in the header, the body or the query', async () => {
    const asked = { socket_id: '1.2', channel_name: 'private-user-9' };
    expect((await postJson('/pusher/auth', asked, bearer(token))).status).toBe(200);
    expect((await postJson('/pusher/auth', asked, { token })).status).toBe(200);
    expect((await postForm('/pusher/auth', { ...asked, token })).status).toBe(200);
    expect((await postForm(`/pusher/auth?token=${token}`, asked)).status).toBe(200);
    expect((await postForm('/pusher/auth', asked)).status).toBe(403);
    expect((await postForm('/pusher/auth', { ...asked, token: strangeToken() })).status).toBe(403);
  });

  test("signs nickname and avatar for a group's presence channel", async () => {
    const asked = { socket_id: '1.2', channel_name: 'presence-group-50' };
    const { body } = await postJson('/pusher/auth', asked, bearer(token));
    expect(JSON.parse(Auth.parse(body).channel_data)).toMatchObject({
      user_id: '9',
      user_info: { nickname: 'Anne', avatar: '/a.jpg' },
    });
  });

  test('escapes nickname and avatar for HTML, like pushes, while the setting is on', async () => {
    const settings = () => ({ ...defaultSettings, escape_html: 'on' as const });
    const { port } = await installation.start({}, installation.bus, { settings });
    const anyone = await installation.register(11, '<b onclick="x">');
    await installation.createGroup(52, [11]);
    const asked = { socket_id: '1.2', channel_name: 'presence-group-52', token: anyone };
    const answer = await fetch(`http://127.0.0.1:${port}/pusher/auth`, {
      ...{ method: 'POST', body: new URLSearchParams(asked) },
    });
    expect(JSON.parse(Auth.parse(await answer.json()).channel_data)).toMatchObject({
      user_info: { uid: 11, nickname: '&lt;b onclick=&quot;x&quot;&gt;' },
    });
  });

  test.each([
    'private-user-10',
    'user-10',
    'private-group-51',
    'presence-group-51',
    'private-audit',
    'private-anything',
    'presence-anything',
    'private-user-9:{"user_id":"10"}',
    '#server-to-user-9',
    '',
  ])('refuses to sign %j for a token', async (channel_name) => {
    const { status } = await postJson('/pusher/auth', { socket_id: '1.2', channel_name }, bearer(token));
    expect(status).toBe(403);
  });

  test.each(['', '1', '1.2:private-user-10', '1.2\n', 'a.b', '1.2.3', '-1.2'])(
    'refuses the socket id %j',
    async (socket_id) => {
      const asked = { socket_id, channel_name: 'private-user-9' };
      expect((await postJson('/pusher/auth', asked, bearer(token))).status).toBe(403);
    },
  );

  test.each([{}, [], { socket_id: ['1.2'], channel_name: { a: 1 } }, { socket_id: 7, channel_name: 7 }])(
    'refuses the parameters %j',
    async (asked) => {
      expect((await postJson('/pusher/auth', asked, bearer(token))).status).toBe(403);
    },
  );

  test("the server's key may have any private channel signed, and act for a person", async () => {
    const sign = (channel_name: string, more: object = {}) =>
      postJson('/pusher/auth', { socket_id: '1.2', channel_name, ...more }, asServer);
    expect((await sign('private-audit')).status).toBe(200);
    expect((await sign('private-anything')).status).toBe(200);
    expect((await sign('private-user-9')).status).toBe(403);
    const { body } = await sign('private-user-9', { login_uid: 9 });
    expect(JSON.parse(Auth.parse(body).channel_data)).toEqual({ user_id: '9' });
    const wrong = { ...asServer, 'x-app-secret': 'wrong' };
    const asked = { socket_id: '1.2', channel_name: 'private-audit' };
    expect((await postJson('/pusher/auth', asked, wrong)).status).toBe(403);
  });
});

describe('requests a second', () => {
  let settings = { limit_address: 1, limit_token: 5 };
  const limited = installation.start({}, installation.bus, {
    settings: () => ({ ...defaultSettings, ...settings }),
  });
  afterEach(() => {
    settings = { limit_address: 1, limit_token: 5 };
  });

  async function ask(path: string, init: RequestInit = {}) {
    const answer = await fetch(`http://127.0.0.1:${(await limited).port}${path}`, init);
    await answer.text();
    return answer.status;
  }
  const sign = (headers: Record<string, string>, body = 'socket_id=1.2&channel_name=private-user-9') =>
    ask('/pusher/auth', {
      ...{ method: 'POST', body },
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    });

  test('for signatures are limited to ten times those for calls, for an address without a valid token', async () => {
    const answers = await inOneSecond(() => [
      ...Array.from({ length: 5 }, () => sign({})),
      ...Array.from({ length: 3 }, () => sign(bearer(strangeToken()))),
      ...Array.from({ length: 2 }, () => sign({ ...asServer, 'x-app-secret': 'wrong' })),
    ]);
    expect(answers).toEqual(Array(10).fill(403));
    const more = await inOneSecond(() => Array.from({ length: 11 }, () => sign({})));
    expect(more.sort()).toEqual([...Array(10).fill(403), 429]);
  });

  test('for signatures count for the token, if a header or the query has a valid one', async () => {
    const answers = await inOneSecond(() => Array.from({ length: 6 }, () => sign(bearer(token))));
    expect(answers.sort()).toEqual([...Array(5).fill(200), 429]);
    settings = { limit_address: 1, limit_token: 1 };
    const body = `socket_id=1.2&channel_name=private-user-9&token=${token}`;
    const inBody = await inOneSecond(() => Array.from({ length: 11 }, () => sign({}, body)));
    expect(inBody.sort()).toEqual([...Array(10).fill(200), 429]);
  });

  test('with the server’s key or a valid signature are not limited', async () => {
    const asked = 'socket_id=1.2&channel_name=private-audit';
    const answers = await inOneSecond(() => Array.from({ length: 20 }, () => sign(asServer, asked)));
    expect(new Set(answers)).toEqual(new Set([200]));
    const port = String((await limited).port);
    const server = new PusherServer({ appId: app.id, ...app, host: '127.0.0.1', port, useTLS: false });
    const triggered = await inOneSecond(() =>
      Array.from({ length: 5 }, async () => (await server.trigger('news', 'event', {})).status),
    );
    expect(triggered).toEqual(Array(5).fill(200));
  });

  test('with an invalid signature count for their address', async () => {
    const send = () => ask(`/apps/${app.id}/events?auth_key=${app.key}`, { method: 'POST', body: 'x' });
    expect((await inOneSecond(() => [send(), send()])).sort()).toEqual([401, 429]);
  });
});

test.each(['?a=2', '?a=1?b=2', '?a=1&b=2?c=3'])(
  'the text after a second question mark is signed too: %s',
  (query) => {
    const now = Date.now();
    const auth = { auth_key: app.key, auth_timestamp: `${Math.floor(now / 1000)}`, auth_version: '1.0' };
    const more = new URLSearchParams(auth);
    const pairs = [...more, ...new URLSearchParams(query.slice(1))];
    pairs.sort(([one], [other]) => (one < other ? -1 : 1));
    const text = ['GET', '/apps/x/channels', pairs.map(([name, value]) => `${name}=${value}`).join('&')];
    const signed = `/apps/x/channels?auth_signature=${sign(app, text.join('\n'))}&${more}&${query.slice(1)}`;
    expect(signatureFault(app, { method: 'GET', url: signed }, now)).toBeUndefined();
    for (const behind of ['?', '?d=4', '&d=4', '??']) {
      const fault = signatureFault(app, { method: 'GET', url: signed + behind }, now);
      expect(fault, behind).toBe('auth_signature is not right');
    }
  },
);

test('user auth signs the user of the token', async () => {
  const { status, body } = await postForm('/pusher/user-auth', { socket_id: '1.2' }, bearer(token));
  expect(status).toBe(200);
  const { auth, user_data } = z.object({ auth: z.string(), user_data: z.string() }).parse(body);
  expect(JSON.parse(user_data)).toMatchObject({ id: '9', session: tokenHash(token) });
  expect(auth).toBe(`${app.key}:${sign(app, `1.2::user::${user_data}`)}`);
  expect((await postForm('/pusher/user-auth', { socket_id: '1.2' })).status).toBe(403);
});

describe("Pusher's HTTP API, used through the pusher server library", () => {
  const config = { appId: app.id, key: app.key, host: '127.0.0.1', useTLS: false };
  const pusher = new PusherServer({ ...config, secret: app.secret, port: String(first.port) });
  const clients: Client[] = [];
  beforeAll(async () => {
    for (const { port } of [first, second]) {
      const client = await Client.connect(port, { token });
      clients.push(client);
      await client.subscribe('news');
      await client.subscribe('user-9');
      client.askSigned('presence-lobby', { user_id: `person-${port}` });
      await client.subscribed('presence-lobby');
    }
  });
  const clientsBut = (one: Client | undefined) => clients.filter((client) => client !== one);

  test('triggers events on every gateway', async () => {
    await pusher.trigger(['news', 'user-9'], 'announced', { text: 'hello' });
    for (const client of clients) {
      expect(await client.received('announced', 'news')).toMatchObject({ data: { text: 'hello' } });
      await client.received('announced', 'user-9');
    }
  });

  test('leaves the named socket out', async () => {
    const [excluded] = clients;
    await pusher.trigger('news', 'excluded', 'a text', { socket_id: excluded?.id ?? '' });
    for (const client of clientsBut(excluded)) {
      expect(await client.received('excluded')).toMatchObject({ data: 'a text' });
    }
    await excluded?.caughtUp();
    expect(excluded?.receivedEvents()).not.toContain('news excluded');
  });

  test('triggers batches', async () => {
    await pusher.triggerBatch([
      { channel: 'news', name: 'one', data: { number: 1 } },
      { channel: 'presence-lobby', name: 'two', data: { number: 2 } },
    ]);
    for (const client of clients) {
      await client.received('one', 'news');
      await client.received('two', 'presence-lobby');
    }
  });

  test('lists channels and their users, of all gateways', async () => {
    const channels = await pusher.get({ path: '/channels' });
    const { channels: occupied } = z
      .object({ channels: z.record(z.string(), z.unknown()) })
      .parse(await channels.json());
    expect(Object.keys(occupied).sort()).toEqual(['news', 'presence-lobby', 'user-9']);
    const counted = await pusher.get({
      path: '/channels',
      params: { filter_by_prefix: 'presence-', info: 'user_count,subscription_count' },
    });
    expect(await counted.json()).toEqual({
      channels: { 'presence-lobby': { user_count: 2, subscription_count: 2 } },
    });
    const one = await pusher.get({ path: '/channels/presence-lobby', params: { info: 'user_count' } });
    expect(await one.json()).toEqual({ occupied: true, user_count: 2 });
    const empty = await pusher.get({ path: '/channels/nowhere' });
    expect(await empty.json()).toEqual({ occupied: false });
    const users = await pusher.get({ path: '/channels/presence-lobby/users' });
    const ids = [first, second].map(({ port }) => ({ id: `person-${port}` }));
    expect(await users.json()).toEqual({ users: expect.arrayContaining(ids) });
    const [before, last] = ids.map(({ id }) => id).sort();
    for (const params of [{ after: before }, { after: before, limit: '1' }]) {
      const page = await pusher.get({ path: '/channels/presence-lobby/users', params });
      expect(await page.json()).toEqual({ users: [{ id: last }] });
    }
    const none = await pusher.get({ path: '/channels/presence-lobby/users', params: { after: last } });
    expect(await none.json()).toEqual({ users: [] });
    const bad = pusher.get({ path: '/channels/presence-lobby/users', params: { limit: '10001' } });
    await expect(bad).rejects.toMatchObject({ status: 400 });
  });

  test('sends events to a signed-in user', async () => {
    const [client] = clients;
    client?.ask('#server-to-user-10');
    await client?.refused('#server-to-user-10');
    client?.ask('#server-to-user-9');
    await client?.subscribed('#server-to-user-9');
    await pusher.sendToUser('9', 'called', {});
    await client?.received('called', '#server-to-user-9');
  });

  test('refuses a wrong secret, a wrong id and old requests with 401', async () => {
    const wrong = new PusherServer({ ...config, secret: 'wrong', port: String(first.port) });
    await expect(wrong.trigger('news', 'forged', {})).rejects.toMatchObject({ status: 401 });
    const another = new PusherServer({
      ...config,
      appId: 'other',
      secret: app.secret,
      port: String(first.port),
    });
    await expect(another.trigger('news', 'forged', {})).rejects.toMatchObject({ status: 401 });
    for (const age of [-601, 601]) {
      const old = await post('/events', '{"name":"forged","channel":"news","data":""}', { age });
      expect(old.status).toBe(401);
    }
    const fresh = await post('/events', '{"name":"late","channel":"news","data":""}', { age: 590 });
    expect(fresh.status).toBe(200);
  });

  test('refuses a body that was not signed', async () => {
    const answer = await post('/events', '{"name":"forged","channel":"news","data":""}', {
      signedBody: '{}',
    });
    expect(answer.status).toBe(401);
  });

  test.each([
    '',
    'no json',
    '[]',
    '{}',
    '{"name":"pusher:forged","channel":"news","data":""}',
    '{"name":"pusher_internal:forged","channel":"news","data":""}',
    '{"name":"forged","channel":"bad name","data":""}',
    '{"name":"forged","channels":[],"data":""}',
    '{"name":"forged","channel":"news","data":{}}',
    '{"name":"forged","channel":"news","data":"","socket_id":"1.2:x"}',
    `{"name":"${'x'.repeat(201)}","channel":"news","data":""}`,
  ])('refuses %j with 400', async (body) => {
    const answer = await post('/events', body);
    expect(answer.status).toBe(400);
    for (const client of clients) {
      await client.caughtUp();
      expect(client.receivedEvents().filter((event) => event.endsWith('forged'))).toEqual([]);
    }
  });

  test("closes a user's connections on every gateway", async () => {
    await pusher.terminateUserConnections('9');
    for (const client of clients) expect(await client.ended()).toMatchObject({ code: 4009 });
  });

  function post(path: string, body: string, { age = 0, signedBody = body } = {}) {
    const url = `/apps/${app.id}${path}`;
    const query = [
      ['auth_key', app.key],
      ['auth_timestamp', String(Math.floor(Date.now() / 1000) - age)],
      ['auth_version', '1.0'],
      ['body_md5', createHash('md5').update(signedBody).digest('hex')],
    ]
      .map(([name, value]) => `${name}=${value}`)
      .join('&');
    const signature = sign(app, `POST\n${url}\n${query}`);
    return fetch(address(`${url}?${query}&auth_signature=${signature}`), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
  }
});
