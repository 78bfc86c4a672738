import { afterAll, describe, expect, test, vi } from 'vitest';
import {
  AddressThrottle,
  sliceMs,
  type ThrottledSocket,
} from '../../services/gateway/connections/address-throttle.ts';
import { Client } from './client.ts';
import { Installation } from './harness.ts';

const installation = await Installation.open();
const { port } = await installation.start({
  clientEventBurst: 5,
  clientEventsPerSecond: 0.001,
  clientEventByteBurst: 1_000,
  clientEventBytesPerSecond: 0.1,
});
const slow = await installation.start({ maxAddressFramesPerSlice: 1 });
const tokens = new Map([
  [31, await installation.register(31)],
  [32, await installation.register(32)],
]);
afterAll(() => installation.close());

/** A socket of the person, on a private channel. */
async function speaker(uid: number): Promise<Client> {
  const client = await Client.connect(port, { token: tokens.get(uid) ?? '' });
  client.askSigned('private-room');
  await client.subscribed('private-room');
  return client;
}

const refusals = (client: Client) =>
  client.frames.filter(
    ({ event, data }) => event === 'pusher:error' && JSON.stringify(data).includes('4301'),
  );

describe('client events of one person are limited', () => {
  test('over all their sockets', async () => {
    const [first, second] = [await speaker(31), await speaker(31)];
    for (let count = 0; count < 3; count++) {
      for (const client of [first, second]) {
        client.send({ event: 'client-typing', channel: 'private-room', data: {} });
        await client.caughtUp();
      }
    }
    expect([...refusals(first), ...refusals(second)]).toHaveLength(1);
    await Promise.all([first.close(), second.close()]);
  });

  test('by their bytes', async () => {
    const client = await speaker(32);
    const data = { text: 'x'.repeat(450) };
    for (let count = 0; count < 2; count++) {
      client.send({ event: 'client-typing', channel: 'private-room', data });
      await client.caughtUp();
    }
    expect(refusals(client)).toHaveLength(0);
    client.send({ event: 'client-typing', channel: 'private-room', data });
    await client.caughtUp();
    expect(refusals(client)).toHaveLength(1);
    await client.close();
  });
});

test('frames of one address beyond the limit of a slice of time are answered later', async () => {
  const client = await Client.connect(slow.port);
  const began = performance.now();
  for (let count = 0; count < 10; count++) await client.caughtUp();
  // Two in each slice: the second one exceeds the limit, and the next one waits for the next slice.
  expect(performance.now() - began).toBeGreaterThan(2 * sliceMs);
  await client.close();
});

test('sockets of an address that sends too much are paused and resumed in turns; others are not', () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  try {
    const throttle = new AddressThrottle({ maxAddressFramesPerSlice: 10, maxAddressBytesPerSlice: 1_000 });
    const paused = new Set<ThrottledSocket>();
    const socketOf = (network: string): ThrottledSocket => {
      const socket = {
        network,
        pause: () => void paused.add(socket),
        resume: () => void paused.delete(socket),
      };
      return socket;
    };
    const flooding = Array.from({ length: 40 }, () => socketOf('10.0.0.1'));
    const [other, large] = [socketOf('10.0.0.2'), socketOf('10.0.0.3')];
    for (const socket of flooding) throttle.count(socket, 1);
    throttle.count(other, 1_000);
    for (const bytes of [1_000, 1]) throttle.count(large, bytes);
    expect(paused).toEqual(new Set([...flooding.slice(10), large]));
    vi.advanceTimersByTime(sliceMs);
    // The first sixteen that waited, and the only one of the other address.
    expect(paused).toEqual(new Set(flooding.slice(26)));
    vi.advanceTimersByTime(sliceMs);
    expect(paused.size).toBe(0);
    vi.advanceTimersByTime(sliceMs);
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});
