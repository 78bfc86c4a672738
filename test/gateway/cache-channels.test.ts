import PusherServer from 'pusher';
import { afterAll, describe, expect, test } from 'vitest';
import { connectNatsBus } from '../../services/bus/nats.ts';
import { silent } from '../support/accounts.ts';
import { natsServer, natsServerIsInstalled } from '../support/nats.ts';
import { Client } from './client.ts';
import { app, Installation, type RunningGateway } from './harness.ts';

const installation = await Installation.open();
const [first, second] = [await installation.start(), await installation.start()];
afterAll(() => installation.close());

const backendOf = ({ port }: RunningGateway) =>
  new PusherServer({
    ...{ appId: app.id, key: app.key, secret: app.secret },
    ...{ host: '127.0.0.1', port: String(port), useTLS: false },
  });
const backend = backendOf(first);

/** The events that a client gets on a channel until the next pong, in order. */
async function received(client: Client, channel: string): Promise<[event: string, data: unknown][]> {
  await client.caughtUp();
  return client.frames.flatMap((frame) => (frame.channel === channel ? [[frame.event, frame.data]] : []));
}

async function subscribed(channel: string, { port }: RunningGateway = second): Promise<Client> {
  const client = await Client.connect(port);
  client.askSigned(channel, channel.startsWith('presence-') ? { user_id: 'anne' } : undefined);
  await client.subscribed(channel);
  return client;
}

/** A backend counts to 20 while clients subscribe: each gets a number, and then all that follow it, once. */
async function countWhileOthersCome(counter: PusherServer, { port }: RunningGateway): Promise<void> {
  const clients = await Promise.all(Array.from({ length: 30 }, () => Client.connect(port)));
  await counter.trigger('cache-busy', 'count', 0);
  const counting = (async () => {
    for (let count = 1; count <= 20; count++) await counter.trigger('cache-busy', 'count', count);
  })();
  for (const client of clients) await client.subscribe('cache-busy');
  await counting;
  for (const client of clients) {
    const counts = () =>
      client.frames.flatMap(({ event, data }) => (event === 'count' ? [Number(data)] : []));
    await client.wait('the last', () => counts().includes(20) || undefined);
    const [start = 0] = counts();
    expect(counts()).toEqual(Array.from({ length: 21 - start }, (_, index) => start + index));
  }
  await Promise.all(clients.map((client) => client.close()));
}

const succeeded = ['pusher_internal:subscription_succeeded', expect.anything()];
const missed = ['pusher:cache_miss', {}];

describe('a subscriber of a cache channel', () => {
  test.each(['cache-price', 'private-cache-price', 'presence-cache-price'])(
    'gets its last event first, or cache_miss, on any gateway: %s',
    async (channel) => {
      const early = await subscribed(channel);
      expect(await received(early, channel)).toEqual([succeeded, missed]);
      await backend.trigger([channel, 'news'], 'price', { cents: 1 });
      await backend.triggerBatch([{ channel, name: 'price', data: { cents: 2 } }]);
      await early.receivedTimes('price', 2);
      for (const gateway of [first, second, await installation.start()]) {
        const late = await subscribed(channel, gateway);
        expect(await received(late, channel)).toEqual([succeeded, ['price', { cents: 2 }]]);
        await late.close();
      }
      await early.close();
    },
  );

  test('gets the last event again after another subscription', async () => {
    await backend.trigger('cache-again', 'state', 'on\u0000');
    const client = await subscribed('cache-again');
    client.ask('cache-again');
    const received = await client.receivedTimes('state', 2);
    expect(received.map(({ data }) => data)).toEqual(['on\u0000', 'on\u0000']);
    await client.close();
  });

  test('gets cache_miss after 30 minutes, and expired events are deleted', async () => {
    await backend.trigger('cache-old', 'state', 'on');
    await installation.pool.query(
      `update presence.last_events set expires = expires - interval '30 minutes' where channel = 'cache-old'`,
    );
    const client = await subscribed('cache-old');
    expect(await received(client, 'cache-old')).toEqual([succeeded, missed]);
    await backend.trigger('cache-other', 'state', 'on');
    const { rows } = await installation.pool.query(
      `select channel from presence.last_events where channel = 'cache-old'`,
    );
    expect(rows).toEqual([]);
    await client.close();
  });

  test('gets events that are triggered meanwhile once and in order', () =>
    countWhileOthersCome(backend, second));
});

test('client events are not kept, and channels with other names keep no events', async () => {
  const [one, other] = [await subscribed('private-cache-typing'), await subscribed('private-cache-typing')];
  one.send({ event: 'client-typing', channel: 'private-cache-typing', data: {} });
  await other.received('client-typing');
  await backend.trigger('price-cache-', 'state', 'on');
  const late = await subscribed('private-cache-typing');
  expect(await received(late, 'private-cache-typing')).toEqual([succeeded, missed]);
  await late.subscribe('price-cache-');
  expect(await received(late, 'price-cache-')).toEqual([succeeded]);
  await Promise.all([one.close(), other.close(), late.close()]);
});

describe.skipIf(!natsServerIsInstalled)('over NATS (needs nats-server)', () => {
  test('a gateway that has just started sends the last event that another one received', async () => {
    const nats = await natsServer();
    await nats.start();
    const openBus = () =>
      connectNatsBus({ url: nats.url, prefix: 'cached', installation: 'ours', logger: silent });
    const apart = await Installation.open(await openBus());
    const one = await apart.start();
    await backendOf(one).trigger('cache-price', 'price', { cents: 1 });
    const bus = await openBus();
    const other = await apart.start({}, bus);
    const client = await subscribed('cache-price', other);
    await backendOf(one).trigger('cache-price', 'price', { cents: 2 });
    await client.receivedTimes('price', 2);
    expect(await received(client, 'cache-price')).toEqual([
      succeeded,
      ['price', { cents: 1 }],
      ['price', { cents: 2 }],
    ]);
    await client.close();
    await countWhileOthersCome(backendOf(one), other);
    await apart.close();
    await bus.close();
    await nats.kill();
  });
});
