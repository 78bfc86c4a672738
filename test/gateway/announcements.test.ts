import { afterAll, describe, expect, test } from 'vitest';
import { authOf, channelText } from '../../services/app-keys/signature.ts';
import { Client } from './client.ts';
import { app, Installation } from './harness.ts';

const installation = await Installation.open();
const { port } = await installation.start();
const token = await installation.register(9);
afterAll(() => installation.close());

const announce = (content: string) =>
  installation.commit([{ channel: 'announcements', event: 'announcement', data: { id: 1, content } }]);

const signed = (client: Client, channel: string) => {
  const channel_data = JSON.stringify({ user_id: '9' });
  return { channel_data, auth: authOf(app, channelText(client.id, channel, channel_data)) };
};

describe('an announcement', () => {
  test('reaches who has an account: by the token of the socket, or by a signature', async () => {
    const [own, other] = [await Client.connect(port, { token }), await Client.connect(port)];
    await own.subscribe('announcements');
    await other.subscribe('private-announcements', signed(other, 'private-announcements'));
    await announce('今晚维护');
    for (const client of [own, other]) {
      expect(await client.received('announcement')).toMatchObject({ data: { content: '今晚维护' } });
      await client.close();
    }
  });

  test('reaches no stranger: neither name of the channel, nor the channel of everyone', async () => {
    const stranger = await Client.connect(port);
    for (const channel of ['announcements', 'private-announcements']) {
      stranger.ask(channel);
      expect(await stranger.received('pusher:subscription_error', channel)).toMatchObject({ channel });
    }
    await stranger.subscribe('global');
    await announce('不给陌生人');
    await installation.commit([{ channel: 'global', event: 'settingChange', data: { id: '2' } }]);
    await stranger.received('settingChange');
    expect(JSON.stringify(stranger.frames)).not.toContain('不给陌生人');
    await stranger.close();
  });

  test('is replayed after a position, and nobody but the server sends one', async () => {
    const since = installation.end();
    await announce('错过的');
    const client = await Client.connect(port, { token });
    client.ask('private-announcements', { ...signed(client, 'private-announcements'), since });
    expect(await client.received('announcement')).toMatchObject({ data: { content: '错过的' } });
    client.send({ event: 'client-announcement', channel: 'private-announcements', data: {} });
    expect(await client.received('pusher:error')).toMatchObject({ data: { code: 4301 } });
    await client.close();
  });
});
