import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, describe, expect, test } from 'vitest';
import { Client } from './client.ts';
import { Installation } from './harness.ts';
import { commitNumbers, numbered, numbersOf } from './numbered.ts';

const installation = await Installation.open();
const { port } = await installation.start();
const token = await installation.register(9);
afterAll(() => installation.close());

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

/** Bytes of the heap in use after a garbage collection. */
function heapUsed(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

describe('a client that names its last position', () => {
  test('gets what came strictly after it, once, in order, after subscription_succeeded', async () => {
    const positions = await commitNumbers(installation, 'user-9', 1, 5);
    const client = await Client.connect(port, { token });
    await client.subscribe('user-9', { since: positions[1] });
    await installation.commit([numbered('user-9', 6)]);
    await client.receivedTimes('message', 4);
    expect(numbersOf(client, 'user-9')).toEqual([3, 4, 5, 6]);
    expect(client.frames[1]?.event).toBe('pusher_internal:subscription_succeeded');
    await client.close();
  });

  test('may name one of several pushes of an event', async () => {
    const { positions } = await installation.commit([1, 2, 3].map((number) => numbered('user-9', number)));
    const client = await Client.connect(port, { token });
    await client.subscribe('user-9', { since: positions[0] });
    await client.receivedTimes('message', 2);
    expect(numbersOf(client, 'user-9')).toEqual([2, 3]);
    await client.close();
  });

  test('may name it for the connection: it is used for the first subscription of each channel', async () => {
    const [since = ''] = await commitNumbers(installation, 'global', 1, 1);
    await commitNumbers(installation, 'user-9', 1, 2);
    const client = await Client.connect(port, { token, since });
    await client.subscribe('user-9');
    await client.receivedTimes('message', 2);
    client.send({ event: 'pusher:unsubscribe', data: { channel: 'user-9' } });
    client.ask('user-9');
    await client.receivedTimes('pusher_internal:subscription_succeeded', 2);
    await client.subscribe('global');
    await client.caughtUp();
    expect(numbersOf(client, 'user-9')).toEqual([1, 2]);
    await client.close();
  });

  test('may name it for the connection: it is used for the first subscription that is allowed', async () => {
    const since = installation.end();
    const client = await Client.connect(port, { token, since });
    client.ask('group-77');
    await client.refused('group-77');
    client.frames.length = 0;
    await installation.createGroup(77, [10]);
    await installation.joinGroup(77, 9);
    await client.subscribe('group-77');
    expect(await client.received('message', 'group-77')).toMatchObject({ data: { content: '9 joined' } });
    await client.close();
  });

  test('does not make the gateway remember channels without a feed', async () => {
    const names = 20_000;
    const patient = await installation.start({ frameBurst: 1e6, byteBurst: 1e9, maxUnreadBytes: 1e9 });
    const client = await Client.connect(patient.port, { token, since: installation.end() });
    const leaveMany = async (count: number) => {
      for (let first = 0; first < count; first += 500) {
        const channels = Array.from({ length: 500 }, (_, index) => `${first + index}-`.padEnd(200, 'x'));
        for (const channel of channels) client.ask(channel);
        await client.receivedTimes('pusher_internal:subscription_succeeded', channels.length);
        for (const channel of channels) client.send({ event: 'pusher:unsubscribe', data: { channel } });
        await client.caughtUp();
        client.frames.length = 0;
      }
    };
    await leaveMany(500);
    const before = heapUsed();
    await leaveMany(names);
    // Kept, they would be more than 4 MB.
    expect(heapUsed() - before).toBeLessThan(names * 100);
    await client.close();
  }, 30_000);

  test('may name another for one channel, which goes before the one of the connection', async () => {
    const [first, second] = await commitNumbers(installation, 'user-9', 1, 3);
    const client = await Client.connect(port, { token, since: first ?? '' });
    await client.subscribe('user-9', { since: second });
    await client.received('message');
    await client.caughtUp();
    expect(numbersOf(client, 'user-9')).toEqual([3]);
    await client.close();
  });

  test('misses and repeats nothing while others write', async () => {
    // However many are written until the last round.
    const { port: patient } = await installation.start({ maxReplayedEvents: 1_000_000 });
    const [since] = await commitNumbers(installation, 'user-9', 0, 300);
    let last = 300;
    const writing = { on: true };
    const writer = (async () => {
      while (writing.on) await installation.commit([numbered('user-9', ++last)]);
    })();
    for (let round = 0; round < 10; round++) {
      const client = await Client.connect(patient, { token });
      await client.subscribe('user-9', { since });
      const goal = last + 5;
      await client.wait('five more', () => numbersOf(client, 'user-9').includes(goal) || undefined);
      const received = numbersOf(client, 'user-9');
      expect(received).toEqual(Array.from({ length: received.length }, (_, index) => index + 1));
      await client.close();
    }
    writing.on = false;
    await writer;
  });
});

test('a client that subscribes while many events are pushed misses none after the first', async () => {
  const { port: hasty } = await installation.start({ maxReplayedEvents: 3 });
  let last = 0;
  const writing = { on: true };
  const writer = (async () => {
    while (writing.on) {
      await installation.commit(Array.from({ length: 10 }, () => numbered('user-9', ++last)));
    }
  })();
  for (let round = 0; round < 20; round++) {
    const client = await Client.connect(hasty, { token });
    client.ask('user-9');
    await client.receivedTimes('message', 30);
    const received = numbersOf(client, 'user-9');
    expect(received).toEqual(received.map((_, index) => (received[0] ?? 0) + index));
    await client.close();
  }
  writing.on = false;
  await writer;
});

describe("a group's replay", () => {
  test('begins at the user’s last joining', async () => {
    await installation.createGroup(50, [9]);
    const [since] = await commitNumbers(installation, 'group-50', 1, 2);
    await installation.removeMembers(50, [9]);
    await commitNumbers(installation, 'group-50', 3, 3);
    await installation.joinGroup(50, 9);
    await commitNumbers(installation, 'group-50', 4, 4);
    const client = await Client.connect(port, { token });
    await client.subscribe('group-50', { since });
    await client.receivedTimes('message', 2);
    expect(client.frames.filter(({ event }) => event === 'message').map(({ data }) => data)).toEqual([
      expect.objectContaining({ content: '9 joined' }),
      expect.objectContaining({ number: 4 }),
    ]);
    await client.close();
  });

  test('is refused to a user who has left', async () => {
    await installation.createGroup(51, [9]);
    const [since] = await commitNumbers(installation, 'group-51', 1, 2);
    await installation.removeMembers(51, [9]);
    const client = await Client.connect(port, { token });
    client.ask('group-51', { since });
    await client.refused('group-51');
    await client.close();
  });
});
