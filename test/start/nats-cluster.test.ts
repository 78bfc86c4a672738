import { expect, onTestFinished, test, vi } from 'vitest';
import {
  befriended,
  inOrder,
  insist,
  listen,
  patiently,
  received,
  Sending,
} from '../support/conversation.ts';
import { shareEnvironment, startApi, startGateway } from '../support/many.ts';
import { type MonitoredNatsServer, natsCluster, natsServerIsInstalled } from '../support/nats.ts';

/** The server over which a client listens to the pushes of a channel. */
async function serverOf(servers: readonly MonitoredNatsServer[], channel: string): Promise<number> {
  const listening = servers.map(async (server) => {
    const clients = await server.clients();
    return clients.some((client) =>
      client.subscriptions_list.some((name) => name.endsWith(`.push.${channel}`)),
    );
  });
  return (await Promise.all(listening)).indexOf(true);
}

test.skipIf(!natsServerIsInstalled)(
  'over the loss of each of three servers of a NATS cluster, of two at once and the gateway’s own among them, each push comes once (needs nats-server)',
  { timeout: 90_000 },
  async () => {
    const servers = await natsCluster(onTestFinished);
    const [first] = servers;
    if (!first) throw new Error('no servers');
    const url = servers.map((server) => server.url).join(',');
    const shared = await shareEnvironment({ ...first, url });
    const [api, gateway] = await Promise.all([startApi(shared), startGateway(shared)]);
    const [tom, jerry] = await befriended(api);
    const client = await listen(gateway, jerry);
    const sending = new Sending(api, tom, jerry, 'message', insist);
    await vi.waitUntil(() => received(client).length >= 5, patiently);
    const own = await serverOf(servers, `user-${jerry.uid}`);
    expect(own).toBeGreaterThanOrEqual(0);
    const [other, last] = servers.filter((_server, index) => index !== own);
    const lost = [other, servers[own]];
    for (const server of lost) {
      await server?.kill();
      await sending.more(5);
    }
    const healthy = async ({ port }: { readonly port: number }) =>
      (await fetch(`http://127.0.0.1:${port}/ready`)).ok;
    await vi.waitUntil(async () => (await healthy(gateway)) && (await healthy(api)), patiently);
    await sending.more(5);
    for (const server of lost) await server?.start();
    await last?.kill();
    await sending.more(5);
    await sending.stop();
    await vi.waitUntil(() => received(client).length >= sending.acknowledged.length, patiently);
    await client.caughtUp();
    expect(received(client)).toEqual(sending.acknowledged);
    expect(inOrder(client)).toBe(true);
    expect(client.closed).toBeUndefined();
  },
);
