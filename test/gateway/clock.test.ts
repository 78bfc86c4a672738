import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { GatewayWatch } from '../../services/gateway/presence/gateway-watch.ts';
import { Client } from './client.ts';
import { Installation } from './harness.ts';

const installation = await Installation.open();
const limits = { activityTimeoutSeconds: 1, pongTimeoutMs: 60_000, frameBurst: 50, framesPerSecond: 50 };
const one = await installation.start(limits);
await installation.start(limits);
const token = await installation.register(9);
const friendToken = await installation.register(10);
await installation.befriend(9, 10);
afterAll(() => installation.close());

const beats = async () => {
  const { rows } = await installation.pool.query<{ beats: string }>('select beats from presence.gateways');
  return rows.map((row) => Number(row.beats));
};

/** A person, and a friend who listens. */
async function friends() {
  const listening = await Client.connect(one.port, { token: friendToken });
  await listening.subscribe('user-10');
  const person = await Client.connect(one.port, { token });
  await listening.received('presence');
  return { listening, person };
}

describe('when the clock of the machine is set back by a minute', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('sockets stay open, are pinged, and nobody appears as offline', async () => {
    const { listening, person } = await friends();
    vi.setSystemTime(Date.now() - 60_000);
    const before = await beats();
    for (let frame = 0; frame < 10; frame++) await person.caughtUp();
    await person.received('pusher:ping');
    await expect
      .poll(async () => (await beats()).every((count, index) => count > (before[index] ?? 0)))
      .toBe(true);
    expect([person.closed, listening.closed]).toEqual([undefined, undefined]);
    expect(listening.receivedEvents()).toEqual(['user-10 presence']);
    await person.close();
    await listening.receivedTimes('presence', 2);
    await listening.close();
  });
});

test("when the database's clock is set forward by a minute, nobody appears as offline", async () => {
  const { listening, person } = await friends();
  await installation.pool.query(`update presence.gateways set seen = seen - interval '1 minute'`);
  // When the gateways have deleted this one, they have checked all of them.
  await installation.pool.query(`insert into presence.gateways values ('left', now(), now())`);
  await expect
    .poll(
      async () =>
        (await installation.pool.query(`select from presence.gateways where gateway = 'left'`)).rowCount,
    )
    .toBe(0);
  await person.close();
  const events = await listening.receivedTimes('presence', 2);
  expect(events.map(({ data }) => data)).toEqual([
    { uid: 9, state: 'online' },
    { uid: 9, state: 'offline' },
  ]);
  expect(listening.receivedEvents()).toHaveLength(2);
  await listening.close();
});

describe('a gateway counts as dead', () => {
  const beat = (count: number, leaving = false) => ({ gateway: 'other', beats: count, leaving });

  test('when its count of heartbeats has not changed for the timeout', () => {
    const watch = new GatewayWatch(4_000);
    for (const now of [0, 1_000, 2_000, 3_000, 3_999]) expect(watch.check([beat(7)], now)).toEqual([]);
    expect(watch.check([beat(7)], 4_000)).toMatchObject([beat(7)]);
    expect(watch.check([beat(8)], 4_500)).toEqual([]);
  });

  test('1 s after it began to leave', () => {
    const watch = new GatewayWatch(4_000);
    expect(watch.check([beat(7)], 0)).toEqual([]);
    expect(watch.check([beat(7, true)], 500)).toEqual([]);
    expect(watch.check([beat(7, true)], 1_500)).toMatchObject([beat(7, true)]);
  });

  test('but the time between two checks that are far apart does not count', () => {
    const watch = new GatewayWatch(4_000);
    watch.check([beat(7)], 0);
    expect(watch.check([beat(7)], 60_000)).toEqual([]);
    expect(watch.check([beat(8)], 61_000)).toEqual([]);
  });
});
