import { afterAll, describe, expect, test } from 'vitest';
import { Positioned } from '../../contracts/push/index.ts';
import { Client } from './client.ts';
import { Installation } from './harness.ts';
import { commitNumbers, numbered, numbersOf } from './numbered.ts';

const installation = await Installation.open();
const { port } = await installation.start();
const token = await installation.register(9);
afterAll(() => installation.close());

// The log is not empty, so that its end is the position of an event.
await commitNumbers(installation, 'user-9', 1, 1);

describe('reset instead of a replay', () => {
  test.each([
    ['no position', () => 'nonsense'],
    ['a number', () => 7],
    ['a position of another log', () => `another.${'0'.repeat(16)}.0`],
  ])('if since is %s', async (_name, since) => {
    const client = await Client.connect(port, { token });
    await client.subscribe('user-9', { since: since() });
    expect(await client.received('reset', 'user-9')).toMatchObject({
      data: { position: installation.end() },
    });
    await commitNumbers(installation, 'user-9', 1, 1);
    await client.received('message');
    expect(numbersOf(client, 'user-9')).toEqual([1]);
    await client.close();
  });

  test('if ?since= of the connection is 15 KB long', async () => {
    const client = await Client.connect(port, { token, since: 'x'.repeat(15_000) });
    await client.subscribe('user-9');
    await client.received('reset', 'user-9');
    await client.close();
  });

  test('if more than 1,000 events were missed, but not for 1,000', async () => {
    const before = await installation.commit([numbered('group-1', 0)]);
    const first = await installation.commit(Array.from({ length: 1_001 }, (_, n) => numbered('user-9', n)));
    const client = await Client.connect(port, { token });
    await client.subscribe('user-9', { since: before.positions[0] });
    await client.received('reset');
    await client.subscribe('user-9', { since: first.positions[0] });
    await client.receivedTimes('message', 1_000);
    expect(numbersOf(client, 'user-9')).toEqual(Array.from({ length: 1_000 }, (_, n) => n + 1));
    await client.close();
  });

  test('if missed events are no longer kept', async () => {
    const old = await installation.commit([numbered('user-9', 1)]);
    const gone = await installation.commit([numbered('user-9', 2)]);
    const kept = await installation.commit([numbered('user-9', 3)]);
    await installation.pool.query('delete from pushes.push where place < $1', [gone.place]);
    await installation.pool.query(
      `update pushes.push set created = now() - interval '8 days' where place = $1`,
      [gone.place],
    );
    const client = await Client.connect(port, { token });
    await client.subscribe('user-9', { since: old.positions[0] });
    await client.received('reset');
    await client.subscribe('user-9', { since: gone.positions[0] });
    expect(await client.received('message')).toMatchObject({ data: { position: kept.positions[0] } });
    await client.close();
  });

  test('has a position from which the next replay begins', async () => {
    const client = await Client.connect(port, { token });
    await client.subscribe('user-9', { since: 'nonsense' });
    const { data } = await client.received('reset');
    await client.close();
    await commitNumbers(installation, 'user-9', 41, 42);
    const again = await Client.connect(port, { token });
    await again.subscribe('user-9', { since: Positioned.parse(data).position });
    await again.receivedTimes('message', 2);
    expect(numbersOf(again, 'user-9')).toEqual([41, 42]);
    await again.close();
  });
});
