import { afterAll, describe, expect, test } from 'vitest';
import { Uid } from '../../contracts/ids.ts';
import { PresencePush } from '../../contracts/push/friend.ts';
import { readPresence } from '../../services/queries/presence.ts';
import { Client } from './client.ts';
import { Installation } from './harness.ts';

const installation = await Installation.open();
const first = await installation.start({ gatewayTimeoutMs: 6_000 });
const second = await installation.start({ gatewayTimeoutMs: 6_000 });
afterAll(() => installation.close());

let people = 100;
/** Two friends; the second is online and listens. */
async function friends() {
  const [uid, friend] = [++people, ++people];
  const token = await installation.register(uid);
  const friendToken = await installation.register(friend);
  await installation.befriend(uid, friend);
  const listening = await Client.connect(second.port, { token: friendToken });
  await listening.subscribe(`user-${friend}`);
  await until(async () => (await stateOf(friend)).state === 'online');
  return { uid: Uid.parse(uid), token, listening };
}

const stateOf = async (uid: number) => {
  const presence = await readPresence(installation.pool, [Uid.parse(uid)]);
  return presence.get(Uid.parse(uid)) ?? { state: 'nowhere', logoutTimestamp: 0 };
};

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('timed out');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const receivedStates = (client: Client) =>
  client.frames.filter(({ event }) => event === 'presence').map(({ data }) => PresencePush.parse(data).state);

describe('a person', () => {
  test('is online while a socket is open on any gateway, and friends are notified once', async () => {
    const { uid, token, listening } = await friends();
    expect(await stateOf(uid)).toEqual({ state: 'offline', logoutTimestamp: 0 });
    const here = await Client.connect(first.port, { token });
    expect(await listening.received('presence')).toMatchObject({ data: { uid, state: 'online' } });
    expect(await stateOf(uid)).toMatchObject({ state: 'online' });
    const there = await Client.connect(second.port, { token });
    await here.close();
    const before = Math.floor(Date.now() / 1000);
    await until(async () => {
      const { rows } = await installation.pool.query('select from presence.users where uid = $1', [uid]);
      return rows.length === 1;
    });
    expect(receivedStates(listening)).toEqual(['online']);
    await there.close();
    const closedAt = Date.now();
    await listening.receivedTimes('presence', 2);
    expect(receivedStates(listening)).toEqual(['online', 'offline']);
    expect(Date.now() - closedAt).toBeGreaterThan(900);
    expect(Date.now() - closedAt).toBeLessThan(2_500);
    const { state, logoutTimestamp } = await stateOf(uid);
    expect(state).toBe('offline');
    expect(logoutTimestamp).toBeGreaterThanOrEqual(before);
    expect(logoutTimestamp).toBeLessThanOrEqual(Math.ceil(closedAt / 1000));
    await listening.close();
  });

  test('who reconnects at once never appears as offline', async () => {
    const { token, listening } = await friends();
    let socket = await Client.connect(first.port, { token });
    await listening.received('presence');
    for (const port of [second.port, first.port, first.port]) {
      await socket.close();
      socket = await Client.connect(port, { token });
    }
    await socket.close();
    await listening.receivedTimes('presence', 2);
    expect(receivedStates(listening)).toEqual(['online', 'offline']);
    await listening.close();
  });

  test('is announced on the private channel too', async () => {
    const { token, listening } = await friends();
    const own = `private-user-${people}`;
    listening.askSigned(own, { user_id: String(people) });
    await listening.subscribed(own);
    const socket = await Client.connect(first.port, { token });
    await listening.received('presence', own);
    await Promise.all([socket.close(), listening.close()]);
  });

  test('is offline after their gateway died, since its last heartbeat', async () => {
    const { uid, listening } = await friends();
    await installation.pool.query(
      `insert into presence.gateways values ('dead', now() - interval '1 minute')`,
    );
    await installation.pool.query(`insert into presence.users values ($1, 'dead')`, [uid]);
    const { state, logoutTimestamp } = await stateOf(uid);
    expect(state).toBe('offline');
    expect(Math.abs(logoutTimestamp - (Date.now() / 1000 - 60))).toBeLessThan(5);
    expect(await listening.received('presence')).toMatchObject({ data: { uid, state: 'offline' } });
    expect((await stateOf(uid)).logoutTimestamp).toBe(logoutTimestamp);
    await listening.close();
  });

  test('who reaches another gateway before the death of the first is noticed never appears as offline', async () => {
    const { uid, token, listening } = await friends();
    await installation.pool.query(
      `insert into presence.gateways values ('dying', now() - interval '11 seconds')`,
    );
    await installation.pool.query(`insert into presence.users values ($1, 'dying')`, [uid]);
    expect(await stateOf(uid)).toMatchObject({ state: 'online' });
    const socket = await Client.connect(first.port, { token });
    await until(async () => {
      const { rows } = await installation.pool.query(`select from presence.gateways where gateway = 'dying'`);
      return rows.length === 0;
    });
    await socket.close();
    await listening.received('presence');
    expect(receivedStates(listening)).toEqual(['offline']);
    await listening.close();
  });
});

test('people on a gateway that drains are offline unless they reach another one in time', async () => {
  const draining = await installation.start();
  const staying = await friends();
  const leaving = await friends();
  const one = await Client.connect(draining.port, { token: staying.token });
  const other = await Client.connect(draining.port, { token: leaving.token });
  await Promise.all([staying.listening.received('presence'), leaving.listening.received('presence')]);
  await draining.gateway.drain();
  await Promise.all([one.ended(), other.ended()]);
  const again = await Client.connect(first.port, { token: staying.token });
  await leaving.listening.receivedTimes('presence', 2);
  expect(receivedStates(leaving.listening)).toEqual(['online', 'offline']);
  expect(receivedStates(staying.listening)).toEqual(['online']);
  await Promise.all([again.close(), staying.listening.close(), leaving.listening.close()]);
});

test('a thousand people who reconnect at once never appear as offline', async () => {
  const { listening } = await friends();
  const friend = people;
  // Long enough that they are back in time on any machine.
  const patient = await installation.start({ offlineDelayMs: 8_000 });
  const tokens = await installation.registerMany(10_000, 1_000);
  await installation.pool.query(
    `insert into read.friendships
       select uid, $1::bigint, '' from generate_series(10000, 10999) as uid
       union all select $1::bigint, uid, '' from generate_series(10000, 10999) as uid`,
    [friend],
  );
  const open = () => Promise.all(tokens.map((token) => Client.connect(patient.port, { token })));
  let sockets = await open();
  await listening.receivedTimes('presence', 1_000);
  for (const socket of sockets) socket.socket.terminate();
  sockets = await open();
  // A wrong `offline` would be sent before the last ones.
  for (const socket of sockets) socket.socket.terminate();
  await listening.receivedTimes('presence', 2_000);
  expect(receivedStates(listening)).toEqual([
    ...Array(1_000).fill('online'),
    ...Array(1_000).fill('offline'),
  ]);
  await listening.close();
});

test('the members of a dead gateway are removed from presence channels', async () => {
  const channel = 'presence-room';
  await installation.pool.query(
    `insert into presence.gateways values ('failing', now() - interval '11 seconds')`,
  );
  await installation.pool.query(`insert into presence.members values ($1, 'carl', 'failing', null)`, [
    channel,
  ]);
  const anne = await Client.connect(first.port);
  anne.askSigned(channel, { user_id: 'anne' });
  expect((await anne.subscribed(channel)).data).toMatchObject({
    presence: { count: 2, ids: expect.arrayContaining(['anne', 'carl']) },
  });
  expect(await anne.received('pusher_internal:member_removed')).toMatchObject({ data: { user_id: 'carl' } });
  await anne.close();
});
