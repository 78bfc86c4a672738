import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Client } from './client.ts';
import { Installation } from './harness.ts';

const installation = await Installation.open();
const { port } = await installation.start({ clientEventBurst: 1_000 });
afterAll(() => installation.close());

let uids = 100;
let one: number;
let other: number;
let tokens: Map<number, string>;
/** Two people who may chat. */
beforeEach(async () => {
  [one, other] = [++uids, ++uids];
  tokens = new Map();
  for (const uid of [one, other]) tokens.set(uid, await installation.register(uid, `person ${uid}`));
});

const connect = (uid: number) => Client.connect(port, { token: tokens.get(uid) ?? '' });
const Auth = z.object({ auth: z.string(), channel_data: z.string() });

/** Asks the auth endpoint for a signature, as stock clients do. */
async function sign(client: Client, uid: number, channel: string) {
  const body = new URLSearchParams({ socket_id: client.id, channel_name: channel });
  const headers = { authorization: `Bearer ${tokens.get(uid)}` };
  const answer = await fetch(`http://127.0.0.1:${port}/pusher/auth`, { method: 'POST', headers, body });
  return answer.status === 200 ? Auth.parse(await answer.json()) : answer.status;
}

/** Subscribes as stock clients do. Returns the data of subscription_succeeded. */
async function join(client: Client, uid: number, channel: string): Promise<unknown> {
  const signed = await sign(client, uid, channel);
  if (typeof signed === 'number') throw new Error(`the endpoint answers ${signed}`);
  const before = answersFor(client, channel).length;
  client.ask(channel, signed);
  return client.wait('the answer', () => answersFor(client, channel)[before]?.data);
}

const answersFor = ({ frames }: Client, channel: string) =>
  frames.filter(
    (frame) => frame.channel === channel && frame.event === 'pusher_internal:subscription_succeeded',
  );

const type = (client: Client, channel: string) => client.send({ event: 'client-typing', channel, data: {} });

/** Whether a client event of one reaches the other. */
async function reaches(from: Client, to: Client, channel: string): Promise<boolean> {
  const [received, refused] = [count(to, 'client-typing'), count(from, 'pusher:error')];
  type(from, channel);
  const answered = () => count(to, 'client-typing') > received || count(from, 'pusher:error') > refused;
  await expect.poll(answered, { interval: 5 }).toBe(true);
  return count(to, 'client-typing') > received;
}

const count = ({ frames }: Client, name: string) => frames.filter(({ event }) => event === name).length;
const set = (name: string, value: string) =>
  installation.pool.query(
    'insert into read.settings values ($1, $2) on conflict (name) do update set value = excluded.value',
    [name, value],
  );
const settingChanged = () =>
  installation.commit([{ channel: 'global', event: 'settingChange', data: { id: '2' } }]);

describe('the channels of two', () => {
  test('carry typing from one to the other, and show who is on the presence channel, with names', async () => {
    const [private_, presence] = [`private-chat-${one}-${other}`, `presence-chat-${one}-${other}`];
    const [anne, bert] = [await connect(one), await connect(other)];
    await join(anne, one, private_);
    await join(bert, other, private_);
    expect(await reaches(anne, bert, private_)).toBe(true);
    await join(anne, one, presence);
    expect(await join(bert, other, presence)).toEqual({
      presence: {
        count: 2,
        ids: expect.arrayContaining([String(one), String(other)]),
        hash: {
          [one]: { uid: one, nickname: `person ${one}`, avatar: '/a.jpg' },
          [other]: { uid: other, nickname: `person ${other}`, avatar: '/a.jpg' },
        },
      },
    });
    expect(await anne.received('pusher_internal:member_added')).toMatchObject({
      data: { user_id: String(other), user_info: { uid: other } },
    });
    await Promise.all([anne.close(), bert.close()]);
  });

  test('show the default avatar of a person without one', async () => {
    await installation.pool.query(`update read.users set avatar = '' where uid = $1`, [one]);
    const client = await connect(one);
    const data = await join(client, one, `presence-chat-${one}-${other}`);
    expect(data).toMatchObject({ presence: { hash: { [one]: { avatar: '/static/img/avatar.jpg' } } } });
    await client.close();
  });

  test('are refused to a third person, also under a signature, and under any other name', async () => {
    const third = ++uids;
    tokens.set(third, await installation.register(third));
    const client = await connect(third);
    expect(await sign(client, third, `private-chat-${one}-${other}`)).toBe(403);
    client.askSigned(`private-chat-${one}-${other}`, { user_id: String(third) });
    await client.refused(`private-chat-${one}-${other}`);
    for (const name of [`private-chat-${third}-${one}`, `private-chat-${third}-${third}`]) {
      client.askSigned(name, { user_id: String(third) });
      await client.refused(name);
    }
    await client.close();
  });

  test('are refused if the other person does not exist', async () => {
    const client = await connect(other);
    expect(await sign(client, other, `private-chat-${other}-999999`)).toBe(403);
    client.askSigned(`presence-chat-${other}-999999`, { user_id: String(other) });
    await client.refused(`presence-chat-${other}-999999`);
    await client.close();
  });

  test('are only for friends while stranger_chat is off, and end with the friendship', async () => {
    const channel = `presence-chat-${one}-${other}`;
    await set('stranger_chat', 'off');
    const client = await connect(one);
    expect(await sign(client, one, channel)).toBe(403);
    await installation.befriend(one, other);
    await join(client, one, channel);
    await installation.pool.query('delete from read.friendships where uid in ($1, $2)', [one, other]);
    type(client, channel);
    expect(await client.received('pusher:error')).toMatchObject({ data: { code: 4301 } });
    await installation.commit([
      { channel: `user-${one}`, event: 'removeFriend', data: { uid: other } },
      { channel: `user-${other}`, event: 'removeFriend', data: { uid: one } },
    ]);
    await client.refused(channel);
    await expect
      .poll(async () => (await installation.pool.query('select from presence.members')).rowCount)
      .toBe(0);
    await set('stranger_chat', 'on');
    await client.close();
  });

  test('end when the setting private_chat is switched off', async () => {
    const channel = `private-chat-${one}-${other}`;
    const client = await connect(one);
    await join(client, one, channel);
    await set('private_chat', 'off');
    await settingChanged();
    await client.refused(channel);
    await set('private_chat', 'on');
    await client.close();
  });
});

describe('client events are refused, on a socket that is open already,', () => {
  const gid = () => 1_000_000 + one;
  const both = async (channel: string) => {
    const clients = [await connect(one), await connect(other)] as const;
    await join(clients[0], one, channel);
    await join(clients[1], other, channel);
    return clients;
  };
  const disable = (uid: number) =>
    installation.pool.query(`update read.users set account_state = 'disabled' where uid = $1`, [uid]);

  test.each(['private-group', 'presence-group'])(
    'of a person who is muted in the group (%s)',
    async (kind) => {
      await installation.createGroup(gid(), [other, one]);
      const channel = `${kind}-${gid()}`;
      const [anne, bert] = await both(channel);
      expect(await reaches(anne, bert, channel)).toBe(true);
      const mute = (until: number) =>
        installation.pool.query(
          'update read.group_members set muted_until = $1 where gid = $2 and uid = $3',
          [Math.floor(until), gid(), one],
        );
      await mute(Date.now() / 1000 + 600);
      expect(await reaches(anne, bert, channel)).toBe(false);
      expect(await reaches(bert, anne, channel)).toBe(true);
      await mute(Date.now() / 1000 - 1);
      expect(await reaches(anne, bert, channel)).toBe(true);
      await Promise.all([anne.close(), bert.close()]);
    },
  );

  test('of ordinary members while the whole group is muted, but not of its managers', async () => {
    await installation.createGroup(gid(), [other, one]);
    const channel = `presence-group-${gid()}`;
    const [anne, bert] = await both(channel);
    await installation.pool.query(`update read.groups set muted = true where gid = $1`, [gid()]);
    await installation.pool.query(
      `update read.group_members set role = 'manager' where gid = $1 and uid = $2`,
      [gid(), other],
    );
    expect(await reaches(anne, bert, channel)).toBe(false);
    expect(await reaches(bert, anne, channel)).toBe(true);
    await Promise.all([anne.close(), bert.close()]);
  });

  test('of a disabled person, in groups, between two and on channels of other backends', async () => {
    await installation.createGroup(gid(), [other, one]);
    const channels = [`private-group-${gid()}`, `private-chat-${one}-${other}`];
    const [anne, bert] = [await connect(one), await connect(other)];
    for (const channel of channels) {
      await join(anne, one, channel);
      await join(bert, other, channel);
    }
    for (const client of [anne, bert]) client.askSigned('private-room');
    await Promise.all([anne.subscribed('private-room'), bert.subscribed('private-room')]);
    for (const channel of [...channels, 'private-room'])
      expect(await reaches(anne, bert, channel)).toBe(true);
    await disable(one);
    for (const channel of [...channels, 'private-room'])
      expect(await reaches(anne, bert, channel)).toBe(false);
    expect(await reaches(bert, anne, channels[1] ?? '')).toBe(true);
    await Promise.all([anne.close(), bert.close()]);
  });
});

test('a second subscription to a presence channel on one socket does not notify the others', async () => {
  const channel = `presence-chat-${one}-${other}`;
  const [anne, bert] = [await connect(one), await connect(other)];
  await join(bert, other, channel);
  await join(anne, one, channel);
  await bert.received('pusher_internal:member_added');
  for (let time = 0; time < 5; time++) await join(anne, one, channel);
  expect(await reaches(anne, bert, channel)).toBe(true);
  await anne.close();
  await bert.received('pusher_internal:member_removed');
  expect(bert.frames.map(({ event }) => event)).toEqual([
    'pusher:connection_established',
    'pusher_internal:subscription_succeeded',
    'pusher_internal:member_added',
    'client-typing',
    'pusher_internal:member_removed',
  ]);
  await bert.close();
});
