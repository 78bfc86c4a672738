import { expect, onTestFinished, test, vi } from 'vitest';
import { befriended, inOrder, listen, patiently, received, Sending } from '../support/conversation.ts';
import { shareEnvironment, startApi, startGateway } from '../support/many.ts';
import { natsServer, natsServerIsInstalled } from '../support/nats.ts';
import { startProxy } from '../support/proxy.ts';

// A minute of it was tried by hand; what a gateway does then is the same after ten seconds.
test.skipIf(!natsServerIsInstalled)(
  'a gateway that NATS does not reach for a while delivers every push, once and in order (needs nats-server)',
  async () => {
    const nats = await natsServer();
    await nats.start();
    onTestFinished(() => nats.kill());
    const proxy = await startProxy({ port: Number(new URL(nats.url).port) });
    const shared = await shareEnvironment(nats);
    const [api, gateway] = await Promise.all([
      startApi(shared),
      startGateway({ ...shared, NATS_URL: `nats://127.0.0.1:${proxy.port}` }),
    ]);
    const [tom, jerry] = await befriended(api);
    const client = await listen(gateway, jerry);
    const sending = new Sending(api, tom, jerry, 'message');
    await vi.waitUntil(() => received(client).length >= 5, patiently);
    proxy.discard(true);
    const readiness = async () => {
      const answer = await fetch(`http://127.0.0.1:${gateway.port}/ready`);
      return { status: answer.status, body: await answer.json() };
    };
    const degraded = { degraded: ['bus'], parts: { bus: { ready: false } } };
    await expect.poll(readiness, patiently).toMatchObject({ status: 200, body: degraded });
    await sending.more(20);
    proxy.discard(false);
    await expect.poll(readiness, patiently).not.toHaveProperty('body.degraded');
    await sending.more(5);
    await sending.stop();
    await vi.waitUntil(() => received(client).length >= sending.acknowledged.length, patiently);
    await client.caughtUp();
    expect(received(client)).toEqual(sending.acknowledged);
    expect(inOrder(client)).toBe(true);
    expect(client.closed).toBeUndefined();
  },
  90_000,
);
