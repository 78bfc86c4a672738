import { createServer } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Positioned, pushes } from '../../contracts/push/index.ts';
import { createGateway, type Gateway } from '../../services/gateway/gateway.ts';
import { silent } from '../support/accounts.ts';
import { type RunningApplication, startApplication, testApp } from '../support/application.ts';
import { befriend, call, type Person, three } from '../support/client.ts';
import { Client, type Frame } from './client.ts';

let running: RunningApplication;
let gateway: Gateway;
let port: number;
const server = createServer();
beforeAll(async () => {
  running = await startApplication();
  const { pool, tokens } = running.application;
  gateway = createGateway({
    ...{ bus: running.bus, database: pool, app: testApp, logger: silent },
    sessions: { verify: (token) => tokens.verify(token, 30) },
  });
  await gateway.start();
  gateway.attach(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = z.object({ port: z.number() }).parse(server.address()).port;
});
afterAll(async () => {
  await gateway.drain();
  server.close();
  await running.stop();
});

/** Tom and Jerry do things; Spike has to do with neither. Each listens on all that is theirs. */
let tom: Person;
let jerry: Person;
let spike: Person;
let sockets: { readonly name: string; readonly person: Person; readonly client: Client }[];
beforeEach(async () => {
  [tom, jerry, spike] = await three(running);
  sockets = await Promise.all(
    [tom, jerry, spike].map(async (person) => {
      const client = await Client.connect(port);
      for (const channel of [`user-${person.uid}`, `private-user-${person.uid}`]) {
        await listen(client, person, channel);
      }
      await client.subscribe('global');
      return { name: person.nickname, person, client };
    }),
  );
  return async () => {
    await Promise.all(sockets.map(({ client }) => client.close()));
  };
});

async function listen(client: Client, person: Person, channel: string): Promise<void> {
  client.askSigned(channel, { user_id: String(person.uid) });
  await client.subscribed(channel);
}

/** What was heard, and by whom, of what the work did: each under both names of the feed. */
async function heardOf(work: () => Promise<{ readonly code: number }>): Promise<[string, string, object][]> {
  for (const { client } of sockets) await client.caughtUp();
  const before = sockets.map(({ client }) => client.frames.length);
  expect(await work()).toMatchObject({ code: 0 });
  const heard: [string, string, object][] = [];
  for (const [index, { name, client }] of sockets.entries()) {
    await client.caughtUp();
    const events = client.frames.slice(before[index]).filter(({ event }) => !event.startsWith('pusher'));
    const twins = events.filter(({ channel }) => channel?.startsWith('private-'));
    const plain = events.filter(({ channel }) => !channel?.startsWith('private-'));
    const twinned = plain.filter(({ channel }) => channel !== 'global');
    const heardAs = ({ event, data }: Frame) => [event, data];
    expect(twins.map(heardAs)).toEqual(twinned.map(heardAs));
    for (const { event, data } of plain) {
      const shape = Object.entries(pushes).find(([known]) => known === event)?.[1];
      Positioned.parse(data);
      heard.push([name, event, z.looseObject({}).parse(shape?.parse(data))]);
    }
  }
  return heard;
}

const loosely = (value: object): unknown => expect.objectContaining(value);

/** A group of Tom and Jerry, to whose channels both listen. */
async function group(): Promise<number> {
  const created = await tom.post('/group/create', { members: [jerry.uid] });
  const gid = Number(z.object({ gid: z.string() }).parse(created.data).gid);
  for (const { person, client } of sockets.slice(0, 2)) {
    for (const channel of [`group-${gid}`, `private-group-${gid}`]) await listen(client, person, channel);
  }
  return gid;
}

const Sent = z.object({ mid: z.int() });
async function say(from: Person, to: number, type: 'friend' | 'group', content = 'hello'): Promise<number> {
  return Sent.parse((await from.post('/message/send', { to, type, content })).data).mid;
}

describe('between two', () => {
  test('friendApply goes to who is asked', async () => {
    const heard = await heardOf(() => tom.post('/friend/apply', { friend_uid: jerry.uid }));
    expect(heard).toEqual([['jerry', 'friendApply', { uid: tom.uid }]]);
  });

  test('addFriend goes to both, and removeFriend', async () => {
    const added = await heardOf(() => tom.post('/friend/add', { friend_uid: jerry.uid }));
    expect(added).toEqual([
      ['tom', 'addFriend', loosely({ uid: jerry.uid, name: 'jerry' })],
      ['jerry', 'addFriend', loosely({ uid: tom.uid, name: 'tom' })],
    ]);
    const removed = await heardOf(() => tom.post('/friend/delete', { friend_uid: jerry.uid }));
    expect(removed).toEqual([
      ['tom', 'removeFriend', { uid: jerry.uid }],
      ['jerry', 'removeFriend', { uid: tom.uid }],
    ]);
  });

  test('message goes to both, so that the sender’s other devices see it', async () => {
    await befriend(tom, jerry);
    const heard = await heardOf(() =>
      tom.post('/message/send', { to: jerry.uid, type: 'friend', content: 'hello', uniqueId: 'one' }),
    );
    const message = { from: String(tom.uid), to: String(jerry.uid), content: 'hello', uniqueId: 'one' };
    expect(heard).toEqual([
      ['tom', 'message', loosely(message)],
      ['jerry', 'message', loosely(message)],
    ]);
  });

  test('revoke and message_delete name the chat as each hearer does', async () => {
    await befriend(tom, jerry);
    for (const [path, event, more] of [
      ['/message/revoke', 'revoke', {}],
      ['/message/delete', 'message_delete', { ty: 2 }],
    ] as const) {
      const mid = await say(tom, jerry.uid, 'friend');
      const heard = await heardOf(() => tom.post(path, { id: jerry.uid, type: 'friend', mid, ...more }));
      expect(heard).toEqual([
        ['tom', event, { type: 'friend', id: jerry.uid, mid, uid: tom.uid }],
        ['jerry', event, { type: 'friend', id: tom.uid, mid, uid: tom.uid }],
      ]);
    }
  });

  test('a deletion for oneself goes to one’s own devices alone', async () => {
    await befriend(tom, jerry);
    const mid = await say(tom, jerry.uid, 'friend');
    const heard = await heardOf(() =>
      tom.post('/message/delete', { id: jerry.uid, type: 'friend', mid, ty: 1 }),
    );
    expect(heard).toEqual([['tom', 'message_delete', loosely({ id: jerry.uid, mid })]]);
  });

  test('read goes to both', async () => {
    await befriend(tom, jerry);
    const mid = await say(tom, jerry.uid, 'friend');
    const heard = await heardOf(() => jerry.get('/message/get', { id: tom.uid, type: 'friend' }));
    expect(heard).toEqual([
      ['tom', 'read', { type: 'friend', id: jerry.uid, mid, uid: jerry.uid }],
      ['jerry', 'read', { type: 'friend', id: tom.uid, mid, uid: jerry.uid }],
    ]);
  });
});

describe('in a group', () => {
  test('addGroup goes to every member, the owner too', async () => {
    const heard = await heardOf(() => tom.post('/group/create', { members: [jerry.uid] }));
    expect(heard.map(([name, event]) => [name, event])).toEqual([
      ['tom', 'addGroup'],
      ['jerry', 'addGroup'],
    ]);
  });

  test('message, revoke, update and updateGroup go to the members', async () => {
    const gid = await group();
    const message = await heardOf(() =>
      tom.post('/message/send', { to: gid, type: 'group', content: 'hello' }),
    );
    expect(message).toEqual([
      ['tom', 'message', loosely({ to: String(gid), content: 'hello' })],
      ['jerry', 'message', loosely({ to: String(gid), content: 'hello' })],
    ]);
    const mid = await say(jerry, gid, 'group');
    const revoked = await heardOf(() => tom.post('/message/revoke', { id: gid, type: 'group', mid }));
    expect(revoked).toEqual([
      ['tom', 'revoke', { type: 'group', id: gid, mid, uid: tom.uid }],
      ['jerry', 'revoke', { type: 'group', id: gid, mid, uid: tom.uid }],
    ]);
    const renamed = await heardOf(() => tom.post('/group/update', { gid, groupname: 'mice' }));
    expect(renamed).toEqual([
      ['tom', 'update', { gid }],
      ['jerry', 'update', { gid }],
    ]);
    const drawn = await heardOf(() => tom.post('/group/update', { gid, avatar: '/upload/a.jpg' }));
    expect(drawn).toContainEqual(['jerry', 'updateGroup', loosely({ gid })]);
    expect(drawn.filter(([name]) => name === 'spike')).toEqual([]);
  });

  test('read goes to the reader’s own devices', async () => {
    const gid = await group();
    const mid = await say(tom, gid, 'group');
    const heard = await heardOf(() => jerry.get('/message/get', { id: gid, type: 'group' }));
    expect(heard).toEqual([['jerry', 'read', { type: 'group', id: gid, mid, uid: jerry.uid }]]);
  });

  test('removeGroup goes to the removed, who hears nothing from then on', async () => {
    const gid = await group();
    const removed = await heardOf(() => tom.post('/group/memberdel', { gid, members: [jerry.uid] }));
    expect(removed.filter(([name]) => name === 'jerry')).toEqual([['jerry', 'removeGroup', { gid }]]);
    const after = await heardOf(() =>
      tom.post('/message/send', { to: gid, type: 'group', content: 'alone' }),
    );
    expect(after).toEqual([['tom', 'message', loosely({ content: 'alone' })]]);
  });

  test('who is added again hears the notice of it and what comes after', async () => {
    const gid = await group();
    await tom.post('/group/memberdel', { gid, members: [jerry.uid] });
    await say(tom, gid, 'group', 'behind their back');
    const added = await heardOf(() => tom.post('/group/memberadd', { gid, members: [jerry.uid] }));
    const jerrys = added.filter(([name]) => name === 'jerry').map(([, event]) => event);
    expect(jerrys).toEqual(expect.arrayContaining(['addGroup', 'message']));
    expect(added.filter(([name]) => name === 'spike')).toEqual([]);
  });

  test('at dissolution removeGroup goes to every member', async () => {
    const gid = await group();
    const heard = await heardOf(() => tom.post('/group/delete', { gid }));
    expect(heard).toEqual([
      ['tom', 'removeGroup', { gid }],
      ['jerry', 'removeGroup', { gid }],
    ]);
  });
});

test('settingChange goes to everyone', async () => {
  const heard = await heardOf(() => call(running, 'POST', '/setting/update', { app_name: '新名字' }));
  expect(heard).toEqual(
    ['tom', 'jerry', 'spike'].map((name) => [name, 'settingChange', loosely({ app_name: '新名字' })]),
  );
});

test('a stranger gets on no channel of theirs, under no name', async () => {
  const gid = await group();
  const client = await Client.connect(port);
  const { uid } = spike;
  const names = [`user-${tom.uid}`, `group-${gid}`, `private-user-${tom.uid}`, `private-group-${gid}`];
  for (const name of [...names, `presence-group-${gid}`, 'private-audit', 'private-else', 'presence-else']) {
    client.ask(name);
    await client.refused(name);
    client.frames.length = 0;
    if (name.endsWith('audit') || name.endsWith('else')) continue;
    client.askSigned(name, { user_id: String(uid) });
    await client.refused(name);
    client.frames.length = 0;
  }
  await say(tom, gid, 'group');
  await client.caughtUp();
  expect(client.heardEvents()).toEqual([]);
  await client.close();
});
