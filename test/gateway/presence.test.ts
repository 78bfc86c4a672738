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
/** Two friends; the second is online and hears of the first. */
async function friends() {
  const [uid, friend] = [++people, ++people];
  const token = await installation.register(uid);
  const friendToken = await installation.register(friend);
  await installation.befriend(uid, friend);
  const hearing = await Client.connect(second.port, { token: friendToken });
  await hearing.subscribe(`user-${friend}`);
  await until(async () => (await stateOf(friend)).state === 'online');
  return { uid: Uid.parse(uid), token, hearing };
}

const stateOf = async (uid: number) => {
  const presence = await readPresence(installation.pool, [Uid.parse(uid)]);
  return presence.get(Uid.parse(uid)) ?? { state: 'nowhere', logoutTimestamp: 0 };
};

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const heardStates = (client: Client) =>
  client.frames.filter(({ event }) => event === 'presence').map(({ data }) => PresencePush.parse(data).state);

describe('a person', () => {
  test('is online while a socket is open on any gateway, and friends are told once', async () => {
    const { uid, token, hearing } = await friends();
    expect(await stateOf(uid)).toEqual({ state: 'offline', logoutTimestamp: 0 });
    const here = await Client.connect(first.port, { token });
    expect(await hearing.heard('presence')).toMatchObject({ data: { uid, state: 'online' } });
    expect(await stateOf(uid)).toMatchObject({ state: 'online' });
    const there = await Client.connect(second.port, { token });
    await here.close();
    const before = Math.floor(Date.now() / 1000);
    await until(async () => {
      const { rows } = await installation.pool.query('select from presence.users where uid = $1', [uid]);
      return rows.length === 1;
    });
    expect(heardStates(hearing)).toEqual(['online']);
    await there.close();
    const closedAt = Date.now();
    await hearing.heardTimes('presence', 2);
    expect(heardStates(hearing)).toEqual(['online', 'offline']);
    expect(Date.now() - closedAt).toBeGreaterThan(900);
    expect(Date.now() - closedAt).toBeLessThan(2_500);
    const { state, logoutTimestamp } = await stateOf(uid);
    expect(state).toBe('offline');
    expect(logoutTimestamp).toBeGreaterThanOrEqual(before);
    expect(logoutTimestamp).toBeLessThanOrEqual(Math.ceil(closedAt / 1000));
    await hearing.close();
  });

  test('who reconnects at once was never away', async () => {
    const { token, hearing } = await friends();
    let socket = await Client.connect(first.port, { token });
    await hearing.heard('presence');
    for (const port of [second.port, first.port, first.port]) {
      await socket.close();
      socket = await Client.connect(port, { token });
    }
    await socket.close();
    await hearing.heardTimes('presence', 2);
    expect(heardStates(hearing)).toEqual(['online', 'offline']);
    await hearing.close();
  });

  test('is told of on the private name of the channel too', async () => {
    const { token, hearing } = await friends();
    const own = `private-user-${people}`;
    hearing.askSigned(own, { user_id: String(people) });
    await hearing.subscribed(own);
    const socket = await Client.connect(first.port, { token });
    await hearing.heard('presence', own);
    await Promise.all([socket.close(), hearing.close()]);
  });

  test('is offline when their gateway has died, as of its last heartbeat', async () => {
    const { uid, hearing } = await friends();
    await installation.pool.query(
      `insert into presence.gateways values ('dead', now() - interval '1 minute')`,
    );
    await installation.pool.query(`insert into presence.users values ($1, 'dead')`, [uid]);
    const { state, logoutTimestamp } = await stateOf(uid);
    expect(state).toBe('offline');
    expect(Math.abs(logoutTimestamp - (Date.now() / 1000 - 60))).toBeLessThan(5);
    expect(await hearing.heard('presence')).toMatchObject({ data: { uid, state: 'offline' } });
    expect((await stateOf(uid)).logoutTimestamp).toBe(logoutTimestamp);
    await hearing.close();
  });

  test('who comes to another gateway before the dead one is noticed was never away', async () => {
    const { uid, token, hearing } = await friends();
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
    await hearing.heard('presence');
    expect(heardStates(hearing)).toEqual(['offline']);
    await hearing.close();
  });
});

test('whoever was on a gateway that drains is offline unless they reach another in time', async () => {
  const draining = await installation.start();
  const staying = await friends();
  const leaving = await friends();
  const one = await Client.connect(draining.port, { token: staying.token });
  const other = await Client.connect(draining.port, { token: leaving.token });
  await Promise.all([staying.hearing.heard('presence'), leaving.hearing.heard('presence')]);
  await draining.gateway.drain();
  await Promise.all([one.ended(), other.ended()]);
  const again = await Client.connect(first.port, { token: staying.token });
  await leaving.hearing.heardTimes('presence', 2);
  expect(heardStates(leaving.hearing)).toEqual(['online', 'offline']);
  expect(heardStates(staying.hearing)).toEqual(['online']);
  await Promise.all([again.close(), staying.hearing.close(), leaving.hearing.close()]);
});

test('a thousand people who reconnect at once tell their friends nothing', async () => {
  const { hearing } = await friends();
  const friend = people;
  // So long that on any machine they are back before it is over.
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
  await hearing.heardTimes('presence', 1_000);
  for (const socket of sockets) socket.socket.terminate();
  sockets = await open();
  // What would be told of them would be told before what is told of the last.
  for (const socket of sockets) socket.socket.terminate();
  await hearing.heardTimes('presence', 2_000);
  expect(heardStates(hearing)).toEqual([...Array(1_000).fill('online'), ...Array(1_000).fill('offline')]);
  await hearing.close();
});

describe('a presence channel', () => {
  const list = (...ids: string[]) => ({
    presence: { count: ids.length, ids: expect.arrayContaining(ids), hash: expect.anything() },
  });

  async function join(port: number, userId: string, info?: object): Promise<Client> {
    const client = await Client.connect(port);
    client.askSigned('presence-room', { user_id: userId, user_info: info });
    return client;
  }

  test('tells over all gateways who is there, who comes and who goes', async () => {
    const anne = await join(first.port, 'anne', { name: 'Anne' });
    expect((await anne.subscribed('presence-room')).data).toEqual({
      presence: { count: 1, ids: ['anne'], hash: { anne: { name: 'Anne' } } },
    });
    const bert = await join(second.port, 'bert');
    expect((await bert.subscribed('presence-room')).data).toEqual(list('anne', 'bert'));
    expect(await anne.heard('pusher_internal:member_added')).toMatchObject({
      channel: 'presence-room',
      data: { user_id: 'bert' },
    });
    const bertAgain = await join(first.port, 'bert');
    expect((await bertAgain.subscribed('presence-room')).data).toEqual(list('anne', 'bert'));
    await bert.close();
    await bertAgain.close();
    expect(await anne.heard('pusher_internal:member_removed')).toMatchObject({ data: { user_id: 'bert' } });
    expect(anne.frames.filter(({ event }) => event === 'pusher_internal:member_added')).toHaveLength(1);
    await anne.close();
  });

  test('loses the members of a dead gateway', async () => {
    await installation.pool.query(
      `insert into presence.gateways values ('failing', now() - interval '11 seconds')`,
    );
    await installation.pool.query(
      `insert into presence.members values ('presence-room', 'carl', 'failing', null)`,
    );
    const anne = await join(first.port, 'anne');
    expect((await anne.subscribed('presence-room')).data).toEqual(list('anne', 'carl'));
    expect(await anne.heard('pusher_internal:member_removed')).toMatchObject({ data: { user_id: 'carl' } });
    await anne.close();
  });

  test('of a group loses who is removed from it, and has them back when they are', async () => {
    const [uid, other] = [++people, ++people];
    const token = await installation.register(uid);
    const otherToken = await installation.register(other);
    await installation.createGroup(55, [uid, other]);
    const channel = 'presence-group-55';
    const staying = await Client.connect(first.port, { token });
    const going = await Client.connect(second.port, { token: otherToken });
    staying.askSigned(channel, { user_id: String(uid) });
    await staying.subscribed(channel);
    going.askSigned(channel, { user_id: String(other) });
    expect((await going.subscribed(channel)).data).toEqual(list(String(uid), String(other)));
    // Who came and left before the other gateway looked is not told of.
    await staying.heard('pusher_internal:member_added');
    await installation.removeMembers(55, [other]);
    expect(await staying.heard('pusher_internal:member_removed')).toMatchObject({
      data: { user_id: String(other) },
    });
    await installation.joinGroup(55, other);
    await staying.heardTimes('pusher_internal:member_added', 2);
    await Promise.all([staying.close(), going.close()]);
  });
});
