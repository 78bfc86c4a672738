import { pino } from 'pino';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { tokenHash } from '../../services/accounts/token-hash.ts';
import { ticketOf } from '../../services/gateway/connections/ticket.ts';
import { Client } from './client.ts';
import { allowedOrigin, app, Installation, strangeToken } from './harness.ts';

const installation = await Installation.open();
const { port, gateway } = await installation.start({ maxSocketsPerUser: 3 });
const token = await installation.register(9);
afterAll(() => installation.close());

const cookieOf = (value: string, more: Record<string, string> = {}) =>
  Client.begin(port, {}, undefined, { cookie: `other=1; token=${value}`, ...more });
const ticketed = (ticket: string) => Client.begin(port, {}, `/any/ticket/${ticket}/app/${app.key}`);

/** Whether a socket may subscribe to the person's own channel by the credentials of its connection. */
async function listensToOwn(client: Client): Promise<boolean> {
  await client.received('pusher:connection_established');
  client.ask('user-9');
  const answers = ['pusher_internal:subscription_succeeded', 'pusher:subscription_error'];
  const { event } = await client.wait('the answer', () =>
    client.frames.find((frame) => answers.includes(frame.event)),
  );
  await client.close();
  return event === answers[0];
}

describe('the login cookie identifies the user', () => {
  test.each([
    ['without an origin, as from no page', {}],
    ['from a page of our own', { origin: `http://127.0.0.1:${port}` }],
    ['from an allowed page', { origin: allowedOrigin }],
  ])('%s', async (_, headers) => {
    expect(await listensToOwn(cookieOf(token, headers))).toBe(true);
  });

  test.each([
    ['from a foreign page', () => token, { origin: 'https://evil.example' }],
    ['from a page without an origin of its own', () => token, { origin: 'null' }],
    ['if it is no token', () => 'nonsense', {}],
    ['if it is empty', () => '', {}],
  ])('%s: the socket is anonymous', async (_, value, headers) => {
    expect(await listensToOwn(cookieOf(value(), headers))).toBe(false);
  });

  test('of an ended session makes the socket anonymous, which may subscribe to public channels', async () => {
    const dead = await installation.login(9);
    await installation.tokens.end(tokenHash(dead));
    const client = cookieOf(dead);
    await client.received('pusher:connection_established');
    await client.subscribe('global');
    await client.close();
  });

  test('ends the socket with 4009 when its session ends', async () => {
    const ending = await installation.login(9);
    const client = cookieOf(ending);
    await client.received('pusher:connection_established');
    await client.subscribe('user-9');
    await installation.tokens.end(tokenHash(ending));
    expect(await client.ended()).toMatchObject({ code: 4009 });
  });

  test('is ignored if the query has a token', async () => {
    const other = await installation.register(10);
    const client = Client.begin(port, { token: other }, undefined, { cookie: `token=${token}` });
    await client.received('pusher:connection_established');
    await client.subscribe('user-10');
    client.ask('user-9');
    await client.refused('user-9');
    await client.close();
  });
});

describe('a ticket in the path identifies the user', () => {
  test('behind any prefix, until its session ends', async () => {
    const ending = await installation.login(9);
    const ticket = ticketOf(app, tokenHash(ending));
    expect(await listensToOwn(ticketed(ticket))).toBe(true);
    const open = ticketed(ticket);
    await open.received('pusher:connection_established');
    await installation.tokens.end(tokenHash(ending));
    expect(await open.ended()).toMatchObject({ code: 4009 });
    expect(await ticketed(ticket).ended()).toMatchObject({ code: 4009 });
  });

  test.each([
    ['nonsense', 'nonsense'],
    ['a session with no signature', tokenHash(token)],
    ['a session with another signature', `${tokenHash(token)}-${'0'.repeat(64)}`],
    ['signed with another secret', ticketOf({ ...app, secret: 'another' }, tokenHash(token))],
  ])('is refused with 4009 if it is %s', async (_, ticket) => {
    expect(await ticketed(ticket).ended()).toMatchObject({ code: 4009 });
  });
});

describe('a socket that is refused at connecting gets the error at once and is closed 1 s to 2 s later', () => {
  test.each([
    [4001, 'for an unknown key', () => Client.begin(port, {}, '/app/another-key')],
    [4009, 'for a token that has ended', () => Client.begin(port, { token: 'nonsense' })],
  ])('with %i %s', async (code, _, begin) => {
    const client = begin();
    expect(await client.received('pusher:error')).toMatchObject({ data: { code } });
    const refusedAt = performance.now();
    expect(client.closed).toBeUndefined();
    expect(await client.ended()).toMatchObject({ code });
    expect(performance.now() - refusedAt).toBeGreaterThan(900);
    expect(performance.now() - refusedAt).toBeLessThan(4_000);
    expect(client.frames).toHaveLength(1);
  });

  test('with 4004 for the fourth socket of a user who may have three', async () => {
    const held = await Promise.all([1, 2, 3].map(() => Client.connect(port, { token })));
    const fourth = Client.begin(port, { token });
    expect(await fourth.received('pusher:error')).toMatchObject({ data: { code: 4004 } });
    expect(fourth.closed).toBeUndefined();
    expect(await fourth.ended()).toMatchObject({ code: 4004 });
    await Promise.all(held.map((client) => client.close()));
  });

  test('with 4100 for the third socket of a gateway that may have two', async () => {
    const small = await installation.start({ maxSockets: 2 });
    const held = await Promise.all([1, 2].map(() => Client.connect(small.port)));
    const third = Client.begin(small.port);
    expect(await third.received('pusher:error')).toMatchObject({ data: { code: 4100 } });
    expect(await third.ended()).toMatchObject({ code: 4100 });
    await Promise.all(held.map((client) => client.close()));
  });

  test('and its frames are not answered meanwhile', async () => {
    const client = Client.begin(port, {}, '/app/another-key');
    await client.received('pusher:error');
    client.send({ event: 'pusher:subscribe', data: { channel: 'global' } });
    client.send({ event: 'pusher:ping' });
    await client.ended();
    expect(client.frames).toHaveLength(1);
  });

  test('but at once if 1,000 others wait to be closed', async () => {
    const refused = () => Client.begin(port, {}, '/app/another-key');
    const waiting = Array.from({ length: 1_000 }, refused);
    await Promise.all(waiting.map((client) => client.received('pusher:error')));
    const next = refused();
    await next.ended();
    expect(waiting.some(({ closed }) => closed === undefined)).toBe(true);
    await Promise.all(waiting.map((client) => client.ended()));
    await expect.poll(() => gateway.status().sockets).toBe(0);
  });
});

test('a failure that is not that of a database which is away is logged, and the client is told to come again', async () => {
  const lines: { msg: string }[] = [];
  const logger = pino({ level: 'error' }, { write: (line) => void lines.push(JSON.parse(line)) });
  const broken = await Installation.open();
  onTestFinished(() => broken.close());
  const { port: brokenPort } = await broken.start({}, broken.bus, { logger });
  await broken.pool.query('alter table accounts.tokens rename to moved');
  const client = Client.begin(brokenPort, { token: strangeToken() });
  expect(await client.ended()).toMatchObject({ code: 4100 });
  expect(lines).toMatchObject([{ msg: 'what a client asked of the gateway failed unexpectedly' }]);
});
