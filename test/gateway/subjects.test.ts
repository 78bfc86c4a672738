import { connect, type NatsConnection } from 'nats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectNatsBus } from '../../services/bus/nats.ts';
import { silent } from '../support/accounts.ts';
import { startApplication } from '../support/application.ts';
import { createGroup, person } from '../support/client.ts';
import { type MonitoredNatsServer, monitoredNatsServer, natsServerIsInstalled } from '../support/nats.ts';
import { Client } from './client.ts';
import { Installation, type RunningGateway } from './harness.ts';
import { say } from './three.ts';

const withNats = describe.skipIf(!natsServerIsInstalled);
const prefix = 'subjects';
const patiently = { timeout: 10_000, interval: 10 };

withNats('the NATS traffic (needs nats-server)', () => {
  let nats: MonitoredNatsServer;
  beforeAll(async () => {
    nats = await monitoredNatsServer();
    await nats.start();
  });
  afterAll(() => nats.kill());
  const openBus = () => connectNatsBus({ url: nats.url, prefix, installation: 'ours', logger: silent });
  const withoutPrefix = (subject: string) => subject.replace(/^subjects\.(ours\.)?/, '');

  describe('to a gateway', () => {
    let installation: Installation;
    let gateway: RunningGateway;
    let token: string;
    let gatewaysCid: number;
    beforeAll(async () => {
      installation = await Installation.open(await openBus());
      // A bus of its own, as in another process: its subscriptions are listed separately.
      const bus = await openBus();
      gatewaysCid = (await nats.clients()).at(-1)?.cid ?? 0;
      gateway = await installation.start({}, bus);
      token = await installation.register(9);
      await installation.register(10);
      await installation.createGroup(50, [9, 10]);
      await installation.createGroup(51, [10]);
      return async () => {
        await installation.close();
        await bus.close();
      };
    });

    async function subjects(): Promise<string[]> {
      const client = (await nats.clients()).find(({ cid }) => cid === gatewaysCid);
      return (client?.subscriptions_list ?? []).map(withoutPrefix).sort();
    }
    const always = () => [
      // For the setting escape_html, on which every push depends.
      'push.global',
      'tick',
      'signal.sessions',
      'signal.gateways',
      `signal.gateway-${gateway.gateway.status().gateway}`,
    ];
    /** Waits until its subscriptions for sockets are exactly these, each once. */
    const becomes = (...more: string[]) =>
      expect.poll(subjects, patiently).toEqual([...always(), ...more].sort());

    async function subscribed(...channels: readonly string[]): Promise<Client> {
      const client = await Client.connect(gateway.port, { token });
      for (const channel of channels) {
        client.askSigned(channel, { user_id: '9' });
        await client.subscribed(channel);
      }
      return client;
    }

    test('without sockets is what every gateway needs', async () => {
      await becomes();
      const client = await Client.connect(gateway.port, { token });
      await client.caughtUp();
      await becomes();
      await client.close();
    });

    test.each([
      ['user-9', ['push.user-9', 'signal.channel-user-9']],
      ['private-user-9', ['push.user-9', 'signal.channel-user-9']],
      // A user's own feed announces the end of their membership.
      ['group-50', ['push.group-50', 'signal.channel-group-50', 'push.user-9']],
      ['presence-group-50', ['signal.channel-presence-group-50', 'push.user-9']],
      ['global', ['signal.channel-global']],
      ['private-audit', ['signal.channel-private-audit']],
      ['news', ['signal.channel-news']],
      ['private-a.b', ['signal.channel-private-a=2eb']],
    ])('for a socket on %s is its subjects, until it unsubscribes or closes', async (channel, needed) => {
      const client = await subscribed(channel);
      await becomes(...needed);
      client.send({ event: 'pusher:unsubscribe', data: { channel } });
      await becomes();
      client.askSigned(channel, { user_id: '9' });
      await client.receivedTimes('pusher_internal:subscription_succeeded', 2);
      await becomes(...needed);
      client.socket.terminate();
      await becomes();
    });

    test('for several sockets on both channels of a feed is subscribed once, until the last closes', async () => {
      const one = await subscribed('user-9', 'group-50', 'private-group-50');
      const other = await subscribed('private-user-9', 'presence-group-50', 'group-50');
      const ofGroup = ['push.group-50', 'signal.channel-group-50', 'push.user-9', 'signal.channel-user-9'];
      await becomes(...ofGroup, 'signal.channel-presence-group-50');
      await other.close();
      await becomes(...ofGroup);
      await one.close();
      await becomes();
    });

    test('has no subject for refused channels', async () => {
      const client = await Client.connect(gateway.port, { token });
      const names = [
        'user-10',
        'group-51',
        'presence-group-51',
        'private-audit',
        'private-x',
        'a b',
        'group-52',
      ];
      for (const name of names) {
        client.ask(name);
        await client.refused(name);
      }
      client.askSigned('private-group-51', { user_id: '9' });
      await client.refused('private-group-51');
      await becomes();
      await client.close();
    });

    test('has no subjects left after many sockets came and went while they subscribed', async () => {
      const channels = [
        'user-9',
        'private-user-9',
        'group-50',
        'group-51',
        'presence-group-50',
        'news',
        'global',
      ];
      const clients = await Promise.all(
        Array.from({ length: 60 }, () => Client.connect(gateway.port, { token })),
      );
      for (const [index, client] of clients.entries()) {
        for (let each = 0; each < 20; each++) {
          const channel = channels[(index * 5 + each * 3) % channels.length] ?? '';
          if ((index + each) % 4 === 0) client.send({ event: 'pusher:unsubscribe', data: { channel } });
          else client.askSigned(channel, { user_id: '9' });
        }
        if (index % 2 === 0) client.socket.terminate();
      }
      for (const [index, client] of clients.entries()) if (index % 2 === 1) await client.close();
      await expect.poll(() => gateway.gateway.status().sockets, patiently).toBe(0);
      await becomes();
      expect(gateway.gateway.status().feeds).toBe(1);
    });
  });

  test('of a message is one row and one tick, however many get it', async () => {
    const running = await startApplication({ bus: await openBus() });
    const received: string[] = [];
    const everything = await listenToAll(nats.url, received);
    try {
      const [tom, ...others] = await Promise.all(
        Array.from({ length: 30 }, (_, index) => person(running, `member ${index}`)),
      );
      if (tom === undefined) throw new Error('nobody');
      for (const members of [others.slice(0, 1), others]) {
        const gid = await createGroup(tom, ...members);
        await running.shown();
        // Now the server, and then this listener, has all that the bus has sent.
        await running.bus.settled();
        await everything.flush();
        received.length = 0;
        const published = await publishedBy();
        for (let each = 0; each < 3; each++) await say(tom, gid, 'group', `message ${each}`);
        await expect.poll(publishedBy, patiently).toBe(published + 6);
        await everything.flush();
        const oneMessage = [`push.group-${gid}`, 'tick'];
        expect(received.map(withoutPrefix)).toEqual([...oneMessage, ...oneMessage, ...oneMessage]);
      }
    } finally {
      await everything.close();
      await running.stop();
    }

    async function publishedBy(): Promise<number> {
      return (await nats.clients()).reduce((sum, { in_msgs }) => sum + in_msgs, 0);
    }
  });
});

async function listenToAll(servers: string, received: string[]): Promise<NatsConnection> {
  const connection = await connect({ servers });
  connection.subscribe('>', { callback: (_, { subject }) => void received.push(subject) });
  await connection.flush();
  return connection;
}
