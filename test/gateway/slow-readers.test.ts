import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { Client } from './client.ts';
import { Installation } from './harness.ts';
import { numbersOf } from './numbered.ts';

const installation = await Installation.open();
const token = await installation.register(9);
const tokenOfAnother = await installation.register(10);
const { port } = await installation.start();
afterAll(() => installation.close());

const content = 'x'.repeat(24_000);
const numbered = (channel: string, count: number) =>
  Array.from({ length: count }, (_, number) => ({ channel, event: 'message', data: { number, content } }));
const numbers = (count: number) => Array.from({ length: count }, (_, number) => number);

/** 21 MB: more than any system buffers for a socket that does not read. */
const first = await installation.commit([{ channel: 'user-9', event: 'message', data: { number: -1 } }]);
await installation.commit(numbered('user-9', 900));
const [since = ''] = first.positions;

const paused: Client[] = [];
/** A client that asks for all of it, and does not read. */
async function resumeUnread(at: number): Promise<Client> {
  const client = await Client.connect(at, { token });
  client.ask('user-9', { since });
  await client.subscribed('user-9');
  client.socket.pause();
  paused.push(client);
  return client;
}
afterEach(() => {
  for (const { socket } of paused.splice(0)) socket.terminate();
});

test('a client that reads gets all that one turn writes, also 5 MB', async () => {
  const client = await Client.connect(port);
  await client.subscribe('global');
  await installation.commit(numbered('global', 200));
  await client.receivedTimes('message', 200);
  expect(numbersOf(client)).toEqual(numbers(200));
  await client.close();
});

test('a client that resumes gets 21 MB of messages, once and in order', async () => {
  const client = await Client.connect(port, { token });
  client.ask('user-9', { since });
  await client.receivedTimes('message', 900);
  await client.caughtUp();
  expect(numbersOf(client)).toEqual(numbers(900));
  await client.close();
});

test('ten clients that resume and do not read do not keep others from resuming', async () => {
  for (let number = 0; number < 10; number++) await resumeUnread(port);
  const client = await Client.connect(port, { token });
  client.ask('user-9', { since });
  await client.receivedTimes('message', 900);
  expect(paused.every(({ closed }) => closed === undefined)).toBe(true);
  await client.close();
});

test('sockets of one person that resume at once wait for each other, and not others for them', async () => {
  const waitForLock = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  const others = [
    ...(await Promise.all(Array.from({ length: 6 }, () => Client.connect(port, { token })))),
    await Client.connect(port, { token: tokenOfAnother }),
  ];
  const lock = await installation.pool.connect();
  await lock.query('begin; lock table pushes.push in access exclusive mode');
  for (const [index, client] of others.entries()) client.ask(index < 6 ? 'user-9' : 'user-10', { since });
  // One read of each of the two.
  await expect.poll(async () => (await installation.pool.query(waitForLock)).rowCount).toBe(2);
  await lock.query('commit');
  lock.release();
  for (const [index, client] of others.entries()) {
    if (index < 6) await client.receivedTimes('message', 900);
    await client.caughtUp();
    await client.close();
  }
});

test('events that come during a slow replay follow in order', async () => {
  const client = await Client.connect(port, { token });
  client.ask('user-9', { since });
  await client.subscribed('user-9');
  client.socket.pause();
  const later = await installation.commit([{ channel: 'user-9', event: 'message', data: { number: 900 } }]);
  client.socket.resume();
  await client.receivedTimes('message', 901);
  expect(numbersOf(client)).toEqual(numbers(901));
  await client.close();
  await installation.pool.query('delete from pushes.push where place = $1', [later.place]);
});

describe('a client is cut off', () => {
  test('that reads nothing for the read timeout, and others are not', async () => {
    const strict = await installation.start({ readTimeoutMs: 1_500 });
    const reading = await Client.connect(strict.port, { token });
    await reading.subscribe('user-9');
    await resumeUnread(strict.port);
    await expect.poll(() => strict.gateway.status().sockets).toBe(1);
    await reading.caughtUp();
    await reading.close();
  });
});
