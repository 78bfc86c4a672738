import { afterAll, describe, expect, test } from 'vitest';
import { authOf, channelText } from '../../services/app-keys/signature.ts';
import { Client } from './client.ts';
import { app, Installation, strangeToken } from './harness.ts';

const installation = await Installation.open();
const { port } = await installation.start();
const token = await installation.register(9);
const stranger = await installation.register(10);
await installation.createGroup(50, [9]);
afterAll(() => installation.close());

const message = (channel: string, content: string) => ({ channel, event: 'message', data: { content } });

describe('connecting', () => {
  test('any path that ends in /app/{key} is accepted, and the first frame names the socket', async () => {
    for (const path of [`/app/${app.key}`, `/any/prefix/app/${app.key}`]) {
      const client = Client.begin(port, {}, path);
      const { data } = await client.received('pusher:connection_established');
      expect(data).toEqual({ socket_id: expect.stringMatching(/^\d+\.\d+$/), activity_timeout: 30 });
      await client.close();
    }
  });

  test('another key gets 4001, as an error frame and as the close code', async () => {
    const client = Client.begin(port, {}, '/app/another');
    expect(await client.received('pusher:error')).toMatchObject({ data: { code: 4001 } });
    expect(await client.ended()).toMatchObject({ code: 4001 });
  });

  test('an unknown token gets 4009', async () => {
    const client = Client.begin(port, { token: strangeToken() });
    expect(await client.ended()).toMatchObject({ code: 4009 });
  });

  test('a path without /app/ is refused', async () => {
    const client = Client.begin(port, {}, '/elsewhere');
    expect(await client.ended()).toMatchObject({ code: 1006 });
  });
});

describe("a person's channel", () => {
  test("has two names for a socket with the person's token, and none for another", async () => {
    const client = await Client.connect(port, { token });
    const other = await Client.connect(port, { token: stranger });
    await client.subscribe('user-9');
    client.askSigned('private-user-9', { user_id: '9' });
    await client.subscribed('private-user-9');
    other.ask('user-9');
    other.askSigned('private-user-9', { user_id: '9' });
    await other.refused('user-9');
    await other.refused('private-user-9');
    await installation.commit([message('user-9', 'hello')]);
    const received = await client.receivedTimes('message', 2);
    expect(received.map(({ channel, data }) => [channel, data])).toEqual([
      ['user-9', expect.objectContaining({ content: 'hello' })],
      ['private-user-9', expect.objectContaining({ content: 'hello' })],
    ]);
    await other.caughtUp();
    expect(other.receivedEvents()).toEqual([]);
    await Promise.all([client.close(), other.close()]);
  });

  test('needs a known user', async () => {
    const client = await Client.connect(port);
    client.ask('user-9');
    expect(await client.refused('user-9')).toMatchObject({ data: { type: 'AuthError', status: 403 } });
    client.askSigned('private-user-9');
    await client.refused('private-user-9');
    client.askSigned('user-9', { user_id: '9' });
    await client.received('pusher_internal:subscription_succeeded', 'user-9');
    await client.close();
  });

  test('sends nothing after unsubscribing', async () => {
    const client = await Client.connect(port, { token });
    await client.subscribe('user-9');
    await client.subscribe('global');
    client.send({ event: 'pusher:unsubscribe', data: { channel: 'user-9' } });
    await client.caughtUp();
    await installation.commit([
      message('user-9', 'unheard'),
      { channel: 'global', event: 'settingChange', data: {} },
    ]);
    await client.received('settingChange');
    expect(client.receivedEvents()).toEqual(['global settingChange']);
    await client.close();
  });
});

describe("a group's channel", () => {
  test('is for its members only, also under a valid signature', async () => {
    const member = await Client.connect(port, { token });
    const other = await Client.connect(port, { token: stranger });
    await member.subscribe('group-50');
    other.ask('group-50');
    other.askSigned('private-group-50', { user_id: '10' });
    other.askSigned('presence-group-50', { user_id: '10' });
    for (const name of ['group-50', 'private-group-50', 'presence-group-50']) await other.refused(name);
    await installation.commit([message('group-50', 'hello')]);
    await member.received('message', 'group-50');
    await other.caughtUp();
    expect(other.receivedEvents()).toEqual([]);
    await Promise.all([member.close(), other.close()]);
  });
});

test('a subscription that ends while it waits for the log adds no member to its presence channel', async () => {
  const comer = await installation.register(11);
  await installation.createGroup(51, [9, 11]);
  const elsewhere = await Client.connect(port, { token: comer });
  await elsewhere.subscribe('group-51');
  await installation.removeMembers(51, [11]);
  const client = await Client.connect(port, { token: comer });
  // The database shows a membership that was not announced yet: the gateway waits for it.
  const { publish } = await installation.joinGroupSilently(51, 11);
  client.askSigned('presence-group-51', { user_id: '11' });
  // This one is judged after the one before.
  await client.subscribe('user-11');
  client.send({ event: 'pusher:unsubscribe', data: { channel: 'presence-group-51' } });
  await client.caughtUp();
  publish();
  await installation.commit([message('user-11', 'after')]);
  const other = await Client.connect(port, { token });
  other.askSigned('presence-group-51', { user_id: '9' });
  const { data } = await other.subscribed('presence-group-51');
  expect(data).toMatchObject({ presence: { count: 1, ids: ['9'] } });
  expect(client.frames.filter(({ channel }) => channel === 'presence-group-51')).toEqual([]);
  await Promise.all([elsewhere.close(), client.close(), other.close()]);
});

describe('a subscription is refused', () => {
  test.each(['', 'with space', 'a:b', 'ä', 'x'.repeat(201), 'private-user-9\n'])(
    'to a channel called %j',
    async (name) => {
      const client = await Client.connect(port, { token });
      client.askSigned(name, { user_id: '9' });
      await client.refused(name);
      await client.close();
    },
  );

  test.each(['no json', '[]', 'null', '"text"', '7'])(
    'with the channel_data %j on any channel',
    async (channelData) => {
      const client = await Client.connect(port, { token });
      for (const channel of ['user-9', 'news', 'private-x', 'global']) {
        client.ask(channel, { channel_data: channelData });
        await client.refused(channel);
      }
      await client.close();
    },
  );

  test('with an invalid signature, or without one if it is needed', async () => {
    const client = await Client.connect(port, { token });
    client.ask('private-user-9', { auth: `${app.key}:${'0'.repeat(64)}`, channel_data: '{"user_id":"9"}' });
    await client.refused('private-user-9');
    client.ask('private-other');
    await client.refused('private-other');
    client.ask('private-audit');
    await client.refused('private-audit');
    client.ask('presence-room');
    await client.refused('presence-room');
    await client.close();
  });

  test('with a signature for another socket', async () => {
    const one = await Client.connect(port);
    const other = await Client.connect(port);
    const auth = authOf(app, channelText(one.id, 'private-chat', undefined));
    one.ask('private-chat', { auth });
    await one.subscribed('private-chat');
    other.ask('private-chat', { auth });
    await other.refused('private-chat');
    await Promise.all([one.close(), other.close()]);
  });
});
