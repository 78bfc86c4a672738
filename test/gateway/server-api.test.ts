import { createHash } from 'node:crypto';
import PusherServer from 'pusher';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { sign } from '../../services/app-keys/signature.ts';
import { signatureFault } from '../../services/gateway/http/server-signature.ts';
import { Client } from './client.ts';
import { app, Installation } from './harness.ts';

const installation = await Installation.open();
const [first, second] = [await installation.start(), await installation.start()];
const token = await installation.register(9);
afterAll(() => installation.close());

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
    // Old by 600 s, with a minute for a slow machine between the request's making and its arrival.
    for (const age of [-660, 601]) {
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

  test('reads a body of 2 MB, and refuses a longer one with 413', async () => {
    const largest = '{"name":"large","channel":"news","data":""}'.padEnd(2 * 1024 * 1024);
    expect((await post('/events', largest)).status).toBe(200);
    expect((await post('/events', `${largest} `)).status).toBe(413);
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
    return fetch(`http://127.0.0.1:${first.port}${url}?${query}&auth_signature=${signature}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
  }
});
