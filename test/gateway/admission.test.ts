import { afterAll, describe, expect, test } from 'vitest';
import { tokenHash } from '../../services/accounts/token-hash.ts';
import { ticketOf } from '../../services/gateway/connections/ticket.ts';
import { Client } from './client.ts';
import { allowedOrigin, app, Installation } from './harness.ts';

const installation = await Installation.open();
const { port, gateway } = await installation.start({ maxSocketsPerUser: 3 });
const token = await installation.register(9);
afterAll(() => installation.close());

const cookieOf = (value: string, more: Record<string, string> = {}) =>
  Client.begin(port, {}, undefined, { cookie: `other=1; token=${value}`, ...more });
const ticketed = (ticket: string) => Client.begin(port, {}, `/any/ticket/${ticket}/app/${app.key}`);

/** Whether a socket may hear what is the person's alone, by what it showed at connecting. */
async function hearsOwn(client: Client): Promise<boolean> {
  await client.heard('pusher:connection_established');
  client.ask('user-9');
  const answers = ['pusher_internal:subscription_succeeded', 'pusher:subscription_error'];
  const { event } = await client.wait('the answer', () =>
    client.frames.find((frame) => answers.includes(frame.event)),
  );
  await client.close();
  return event === answers[0];
}

describe('the login cookie tells who hears', () => {
  test.each([
    ['without an origin, as from no page', {}],
    ['from a page of our own', { origin: `http://127.0.0.1:${port}` }],
    ['from an allowed page', { origin: allowedOrigin }],
  ])('%s', async (_, headers) => {
    expect(await hearsOwn(cookieOf(token, headers))).toBe(true);
  });

  test.each([
    ['from a foreign page', () => token, { origin: 'https://evil.example' }],
    ['from a page without an origin of its own', () => token, { origin: 'null' }],
    ['if it is no token', () => 'nonsense', {}],
    ['if it is empty', () => '', {}],
  ])('but not %s: that socket is anonymous', async (_, value, headers) => {
    expect(await hearsOwn(cookieOf(value(), headers))).toBe(false);
  });

  test('and a dead one makes the socket anonymous, which hears the public channels', async () => {
    const dead = await installation.login(9);
    await installation.tokens.end(tokenHash(dead));
    const client = cookieOf(dead);
    await client.heard('pusher:connection_established');
    await client.subscribe('global');
    await client.close();
  });

  test('and its session closes the socket with 4009 when it ends', async () => {
    const ending = await installation.login(9);
    const client = cookieOf(ending);
    await client.heard('pusher:connection_established');
    await client.subscribe('user-9');
    await installation.tokens.end(tokenHash(ending));
    expect(await client.ended()).toMatchObject({ code: 4009 });
  });

  test('and a token in the query goes before it', async () => {
    const other = await installation.register(10);
    const client = Client.begin(port, { token: other }, undefined, { cookie: `token=${token}` });
    await client.heard('pusher:connection_established');
    await client.subscribe('user-10');
    client.ask('user-9');
    await client.refused('user-9');
    await client.close();
  });
});

describe('a ticket in the path tells who hears', () => {
  test('behind any prefix, until its session ends', async () => {
    const ending = await installation.login(9);
    const ticket = ticketOf(app, tokenHash(ending));
    expect(await hearsOwn(ticketed(ticket))).toBe(true);
    const open = ticketed(ticket);
    await open.heard('pusher:connection_established');
    await installation.tokens.end(tokenHash(ending));
    expect(await open.ended()).toMatchObject({ code: 4009 });
    expect(await ticketed(ticket).ended()).toMatchObject({ code: 4009 });
  });

  test.each([
    ['nonsense', 'nonsense'],
    ['a session with no signature', tokenHash(token)],
    ['a session with another signature', `${tokenHash(token)}-${'0'.repeat(64)}`],
    ['signed with another secret', ticketOf({ ...app, secret: 'another' }, tokenHash(token))],
  ])('but not one that is %s', async (_, ticket) => {
    expect(await ticketed(ticket).ended()).toMatchObject({ code: 4009 });
  });
});

describe('a socket that is refused at connecting is told at once, and closed one or two seconds later', () => {
  test.each([
    [4001, 'for an unknown key', () => Client.begin(port, {}, '/app/another-key')],
    [4009, 'for a token that has ended', () => Client.begin(port, { token: 'nonsense' })],
  ])('with %i %s', async (code, _, begin) => {
    const client = begin();
    expect(await client.heard('pusher:error')).toMatchObject({ data: { code } });
    const told = performance.now();
    expect(client.closed).toBeUndefined();
    expect(await client.ended()).toMatchObject({ code });
    expect(performance.now() - told).toBeGreaterThan(900);
    expect(performance.now() - told).toBeLessThan(4_000);
    expect(client.frames).toHaveLength(1);
  });

  test('with 4004 for the fourth of a user who may have three', async () => {
    const held = await Promise.all([1, 2, 3].map(() => Client.connect(port, { token })));
    const fourth = Client.begin(port, { token });
    expect(await fourth.heard('pusher:error')).toMatchObject({ data: { code: 4004 } });
    expect(fourth.closed).toBeUndefined();
    expect(await fourth.ended()).toMatchObject({ code: 4004 });
    await Promise.all(held.map((client) => client.close()));
  });

  test('and what it sends meanwhile is not answered', async () => {
    const client = Client.begin(port, {}, '/app/another-key');
    await client.heard('pusher:error');
    client.send({ event: 'pusher:subscribe', data: { channel: 'global' } });
    client.send({ event: 'pusher:ping' });
    await client.ended();
    expect(client.frames).toHaveLength(1);
  });

  test('but at once if a thousand others wait for that', async () => {
    const refused = () => Client.begin(port, {}, '/app/another-key');
    const waiting = Array.from({ length: 1_000 }, refused);
    await Promise.all(waiting.map((client) => client.heard('pusher:error')));
    const next = refused();
    await next.ended();
    expect(waiting.some(({ closed }) => closed === undefined)).toBe(true);
    await Promise.all(waiting.map((client) => client.ended()));
    await expect.poll(() => gateway.status().sockets).toBe(0);
  });
});
