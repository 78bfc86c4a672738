import { afterAll, expect, test, vi } from 'vitest';
import { PushStore } from '../../services/pushes/push-store.ts';
import { Client } from './client.ts';
import { Installation } from './harness.ts';
import { numbered, numbersOf } from './numbered.ts';

const installation = await Installation.open();
const { port } = await installation.start();
afterAll(() => installation.close());

test('the missed events of four people are read at once, those of one person one after the other', async () => {
  const held = Promise.withResolvers<void>();
  const reading: string[] = [];
  let atOnce = 0;
  const { missed } = PushStore.prototype;
  vi.spyOn(PushStore.prototype, 'missed').mockImplementation(async function (this: PushStore, feed, ...rest) {
    atOnce = Math.max(atOnce, reading.push(feed));
    await held.promise;
    const found = await missed.call(this, feed, ...rest);
    reading.splice(reading.indexOf(feed), 1);
    return found;
  });
  const people = [11, 12, 13, 14, 15];
  const tokens = await Promise.all(people.map((uid) => installation.register(uid)));
  const { positions } = await installation.commit([numbered('user-11', 0)]);
  await installation.commit(people.map((uid) => numbered(`user-${uid}`, 1)));
  // Two sockets of the first person.
  const sockets = await Promise.all(
    [0, 0, 1, 2, 3, 4].map(async (index) => ({
      client: await Client.connect(port, { token: tokens[index] ?? '' }),
      channel: `user-${people[index]}`,
    })),
  );
  for (const { client, channel } of sockets) await client.subscribe(channel, { since: positions[0] });
  await vi.waitUntil(() => reading.length >= 4, { timeout: 10_000 });
  for (const { client } of sockets) await client.caughtUp();
  expect(reading).toEqual(people.slice(0, 4).map((uid) => `user-${uid}`));
  held.resolve();
  for (const { client } of sockets) {
    await client.received('message');
    expect(numbersOf(client)).toEqual([1]);
    await client.close();
  }
  expect(atOnce).toBe(4);
});
