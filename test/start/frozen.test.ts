import { expect, onTestFinished, test, vi } from 'vitest';
import { befriended, inOrder, insist, listen, patiently, received } from '../support/conversation.ts';
import { shareEnvironment, startApi, startGateway } from '../support/many.ts';
import { natsServer, natsServerIsInstalled } from '../support/nats.ts';
import { startDatabaseProxy, startProxy } from '../support/proxy.ts';

/** What a program's `/ready` answers with. */
async function readiness({ port }: { readonly port: number }): Promise<number> {
  return (await fetch(`http://127.0.0.1:${port}/ready`)).status;
}

async function natsAndShared() {
  const nats = await natsServer();
  await nats.start();
  onTestFinished(() => nats.kill());
  return { nats, shared: await shareEnvironment(nats) };
}

test.skipIf(!natsServerIsInstalled)(
  'a program whose connections to Postgres freeze says so, and within seconds sends, shows and pushes again (needs nats-server)',
  async () => {
    const { shared } = await natsAndShared();
    const proxy = await startDatabaseProxy(shared.DATABASE_URL);
    const api = await startApi({ ...shared, DATABASE_URL: proxy.url });
    const gateway = await startGateway({ ...shared, DATABASE_URL: proxy.url });
    const [tom, jerry] = await befriended(api);
    const clients = [await listen(api, jerry), await listen(gateway, jerry)];
    await insist(api, tom, jerry, 'before');
    proxy.freeze();
    const frozen = performance.now();
    await Promise.all([
      expect.poll(() => readiness(api), patiently).toBe(503),
      expect.poll(() => readiness(gateway), patiently).toBe(503),
      insist(api, tom, jerry, 'meanwhile'),
    ]);
    await vi.waitUntil(() => clients.every((client) => received(client).includes('meanwhile')), patiently);
    expect(performance.now() - frozen).toBeLessThan(15_000);
    await insist(api, tom, jerry, 'after');
    await vi.waitUntil(() => clients.every((client) => received(client).includes('after')), patiently);
    await expect.poll(() => readiness(api), patiently).toBe(200);
    await expect.poll(() => readiness(gateway), patiently).toBe(200);
    // A channel that is subscribed to now gets new events.
    clients.push(await listen(gateway, jerry));
    await insist(api, tom, jerry, 'at last');
    await vi.waitUntil(() => clients.every((client) => received(client).includes('at last')), patiently);
    for (const client of clients.slice(0, 2)) {
      expect(received(client)).toEqual(['before', 'meanwhile', 'after', 'at last']);
      expect(inOrder(client)).toBe(true);
    }
  },
  120_000,
);

test.skipIf(!natsServerIsInstalled)(
  'a gateway whose connection to NATS freezes goes on over another one (needs nats-server)',
  async () => {
    const { nats, shared } = await natsAndShared();
    const proxy = await startProxy({ port: Number(new URL(nats.url).port) });
    const api = await startApi(shared);
    const gateway = await startGateway({ ...shared, NATS_URL: `nats://127.0.0.1:${proxy.port}` });
    const [tom, jerry] = await befriended(api);
    const client = await listen(gateway, jerry);
    await insist(api, tom, jerry, 'before');
    await vi.waitUntil(() => received(client).includes('before'), patiently);
    proxy.freeze();
    await insist(api, tom, jerry, 'meanwhile');
    await vi.waitUntil(() => received(client).includes('meanwhile'), patiently);
    await vi.waitUntil(() => proxy.connections > 1, patiently);
    await expect.poll(() => readiness(gateway), patiently).toBe(200);
    await insist(api, tom, jerry, 'after');
    await vi.waitUntil(() => received(client).includes('after'), patiently);
    expect(received(client)).toEqual(['before', 'meanwhile', 'after']);
  },
  90_000,
);
