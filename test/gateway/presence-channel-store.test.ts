import { afterAll, expect, test } from 'vitest';
import { z } from 'zod';
import { inLockedTransaction } from '../../services/gateway/presence/advisory-lock.ts';
import {
  clearMembers,
  PresenceChannelStore,
} from '../../services/gateway/presence/presence-channel-store.ts';
import { Client } from './client.ts';
import { Installation } from './harness.ts';

const installation = await Installation.open();
const store = new PresenceChannelStore(installation.pool, 'here');
const elsewhere = new PresenceChannelStore(installation.pool, 'elsewhere');
await installation.pool.query(`insert into presence.gateways values ('here', now()), ('elsewhere', now())`);
afterAll(() => installation.close());

const many = Array.from({ length: 10_000 }, (_, number) => `member-${number}`);
const rows = (channel: string, users: readonly string[]) =>
  users.map((userId) => ({ channel, userId, info: null }));
const here = (userId: string, info: string | null = null) => ({ userId, info, here: true });
const gone = (userId: string) => ({ userId, info: null, here: false });

test('only the changes since a version are read of a channel with 10,000 members', async () => {
  const channel = 'presence-many';
  await elsewhere.write(rows(channel, many), []);
  const [all] = await store.all([channel]);
  expect(all?.changes).toHaveLength(10_000);
  const since = async (version = 0) => (await store.changed(new Map([[channel, version]])))[0];
  expect(await since(all?.version)).toEqual({ channel, version: all?.version, changes: [] });
  await store.write([{ channel, userId: 'anne', info: '{}' }], []);
  const anne = await since(all?.version);
  expect(anne?.changes).toEqual([here('anne', '{}')]);
  await store.write([], rows(channel, ['anne']));
  await elsewhere.write([], rows(channel, ['member-7']));
  const left = await since(anne?.version);
  expect(left?.changes).toEqual(expect.arrayContaining([gone('anne'), gone('member-7')]));
  expect(left?.changes).toHaveLength(2);
  expect(await since(left?.version)).toMatchObject({ changes: [] });
});

test('a user who left one gateway and is on another is a member, and those of a dead gateway are not', async () => {
  const channel = 'presence-two';
  const both = rows(channel, ['anne']);
  await store.write(both, []);
  await elsewhere.write([...both, ...rows(channel, ['bert'])], []);
  const version = async () => (await store.all([channel]))[0]?.version ?? 0;
  const before = await version();
  await store.write([], both);
  expect(await store.changed(new Map([[channel, before]]))).toMatchObject([{ changes: [here('anne')] }]);
  const cleared = await version();
  await inLockedTransaction(installation.pool, 'onlineUsers', (client) =>
    clearMembers(client, ['elsewhere']),
  );
  const [{ changes } = { changes: [] }] = await store.changed(new Map([[channel, cleared]]));
  expect(changes).toHaveLength(2);
  expect(changes).toEqual(expect.arrayContaining([gone('anne'), gone('bert')]));
  expect(await store.changed(new Map([['presence-nobody', 0]]))).toEqual([
    { channel: 'presence-nobody', version: 0, changes: [] },
  ]);
});

test('who left a channel can be read for 2 minutes', async () => {
  const channel = 'presence-left';
  const both = rows(channel, ['anne', 'bert']);
  await store.write(both, []);
  const [before] = await store.all([channel]);
  await store.write([], both);
  await installation.pool.query(
    `update presence.departures set left_at = now() - case user_id when 'anne' then 110 else 121 end * interval '1 second'
      where channel = $1`,
    [channel],
  );
  await store.write(rows('presence-other', ['carl']), []);
  const [left] = await store.changed(new Map([[channel, before?.version ?? 0]]));
  expect(left?.changes).toEqual([gone('anne')]);
});

test('a subscriber of a channel with 10,000 members gets their count, then who joins and leaves', async () => {
  const channel = 'presence-crowd';
  await elsewhere.write(rows(channel, many), []);
  const { port } = await installation.start({ gatewayTimeoutMs: 60_000 });
  const Counted = z.object({ presence: z.object({ count: z.number() }) });
  const clients: Client[] = [];
  for (const [index, userId] of ['anne', 'bert', 'carl'].entries()) {
    const client = await Client.connect(port);
    clients.push(client);
    client.askSigned(channel, { user_id: userId });
    const { data } = await client.subscribed(channel);
    expect(Counted.parse(data).presence.count).toBe(10_001 + index);
  }
  const [anne, ...others] = clients;
  const added = await anne?.receivedTimes('pusher_internal:member_added', 2);
  expect(added?.map(({ data }) => data)).toEqual([{ user_id: 'bert' }, { user_id: 'carl' }]);
  for (const other of others) await other.close();
  await anne?.receivedTimes('pusher_internal:member_removed', 2);
  await anne?.close();
});
