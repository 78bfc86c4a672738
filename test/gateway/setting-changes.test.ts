import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { trustOf } from '../../services/edge/proxies.ts';
import { Client } from './client.ts';
import { app, Installation, type RunningGateway } from './harness.ts';

const installation = await Installation.open();
const token = await installation.register(9);
const running = await installation.start({}, undefined, { trust: trustOf(1) });
afterAll(() => installation.close());

const changed = (data: object) =>
  installation.commit([{ channel: 'global', event: 'settingChange', data: { id: '2', ...data } }]);

/** A socket without a token that names a host as browsers do. */
async function reaching(headers: Record<string, string>): Promise<Client> {
  const client = Client.begin(running.port, {}, `/app/${app.key}`, headers);
  await client.received('pusher:connection_established');
  return client;
}

describe('settingChange', () => {
  test.each([
    [{ host: 'im.example' }, 'ws://im.example:80'],
    [{ host: 'im.example:9000' }, 'ws://im.example:9000'],
    [{ host: '[::1]:9000' }, 'ws://[::1]:9000'],
    [
      { 'x-forwarded-for': '9.9.9.9', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'im.example' },
      'wss://im.example:443',
    ],
  ])('contains the appkey and the address that the socket used: %j', async (headers, ws_address) => {
    const [client, other] = [await reaching(headers), await reaching({ host: 'other.example:1' })];
    for (const one of [client, other]) await one.subscribe('global');
    await changed({ voice: 'on' });
    expect(await client.received('settingChange')).toMatchObject({
      data: { id: '2', voice: 'on', appkey: app.key, ws_address, position: expect.any(String) },
    });
    expect(await other.received('settingChange')).toMatchObject({
      data: { ws_address: 'ws://other.example:1' },
    });
    await Promise.all([client.close(), other.close()]);
  });

  test('contains the address of the setting if there is one', async () => {
    const client = await reaching({ host: 'im.example' });
    await client.subscribe('global');
    await changed({ ws_address: 'wss://set.example:443/ws' });
    expect(await client.received('settingChange')).toMatchObject({
      data: { appkey: app.key, ws_address: 'wss://set.example:443/ws' },
    });
    await client.close();
  });

  test('contains the same in a replay, and if it came during the replay', async () => {
    const since = installation.end();
    await changed({ voice: 'off' });
    const client = await reaching({ host: 'im.example' });
    client.ask('global', { since });
    await changed({ voice: 'on' });
    const received = await client.receivedTimes('settingChange', 2);
    for (const { data } of received) {
      expect(data).toMatchObject({ appkey: app.key, ws_address: 'ws://im.example:80' });
    }
    await client.close();
  });
});

const written = `<b title="x">&'`;
const escaped = '&lt;b title=&quot;x&quot;&gt;&amp;&#39;';
const escaping = (escape_html: 'on' | 'off') => ({
  ...{ channel: 'global', event: 'settingChange' },
  data: { id: '2', escape_html },
});
const message = (content = written) => ({
  ...{ channel: 'user-9', event: 'message' },
  data: { from: '9', to: '10', type: 'friend', from_name: written, from_avatar: '/a?b=1&c=2', content },
});
const shown = (client: Client, event = 'message') =>
  client.frames.flatMap((frame) => (frame.event === event ? [frame.data] : []));
const contents = (texts: readonly string[]) =>
  texts.map((content) => expect.objectContaining({ content, from_name: content, from_avatar: '/a?b=1&c=2' }));

async function listening(gateway: RunningGateway = running): Promise<Client> {
  const client = await Client.connect(gateway.port, { token });
  await client.subscribe('user-9');
  return client;
}

describe('texts of people are escaped in pushes while escape_html is on', () => {
  beforeEach(async () => {
    await installation.commit([escaping('off')]);
  });

  test('from the position of the change on, also without a subscriber of global', async () => {
    const client = await listening();
    await installation.commit([message()]);
    await installation.commit([escaping('on')]);
    await installation.commit([message()]);
    await installation.commit([escaping('off')]);
    await installation.commit([message()]);
    await client.receivedTimes('message', 3);
    expect(shown(client)).toEqual(contents([written, escaped, written]));
    await client.close();
  });

  test('also if the change is inside a batch, and if the bus lost it', async () => {
    const client = await listening();
    await installation.commitSilently([message(), escaping('on'), message()]);
    await installation.commit([message(), escaping('off'), message()]);
    await client.receivedTimes('message', 4);
    expect(shown(client)).toEqual(contents([written, escaped, escaped, written]));
    await client.close();
  });

  test('also in names, groups and profiles, but not in events of clients and other backends', async () => {
    const [client, other] = [await listening(), await Client.connect(running.port)];
    for (const one of [client, other]) {
      one.askSigned('private-room');
      await one.subscribed('private-room');
    }
    await installation.commit([
      escaping('on'),
      { channel: 'user-9', event: 'profile', data: { uid: 10, nickname: written, avatar: '/a?b=1&c=2' } },
      { channel: 'user-9', event: 'addGroup', data: { gid: 5, groupname: written, content: written } },
    ]);
    await client.received('addGroup');
    expect(shown(client, 'profile')).toMatchObject([{ nickname: escaped, avatar: '/a?b=1&c=2' }]);
    expect(shown(client, 'addGroup')).toMatchObject([{ groupname: escaped, content: escaped }]);
    other.send({ event: 'client-note', channel: 'private-room', data: { content: written } });
    expect(await client.received('client-note')).toMatchObject({ data: { content: written } });
    await Promise.all([client.close(), other.close()]);
  });

  test('on private-audit, and in replays by the present setting', async () => {
    const since = installation.end();
    await installation.commit([message('before')]);
    await installation.pool.query(`insert into read.settings values ('escape_html', 'on')`);
    await installation.commit([escaping('on')]);
    const audit = await Client.connect(running.port);
    audit.askSigned('private-audit');
    await audit.subscribed('private-audit');
    await installation.commit([message()]);
    await audit.received('message');
    expect(shown(audit)).toEqual(contents([escaped]));
    const client = await Client.connect(running.port, { token });
    client.ask('user-9', { since });
    await client.receivedTimes('message', 2);
    expect(shown(client)).toMatchObject([{ content: 'before', from_name: escaped }, { content: escaped }]);
    await installation.pool.query('delete from read.settings');
    await Promise.all([audit.close(), client.close()]);
  });

  test('on a gateway that starts while the setting is on', async () => {
    await installation.pool.query(`insert into read.settings values ('escape_html', 'on')`);
    const client = await listening(await installation.start());
    await installation.commit([message()]);
    await client.received('message');
    expect(shown(client)).toEqual(contents([escaped]));
    await installation.pool.query('delete from read.settings');
    await client.close();
  });
});
