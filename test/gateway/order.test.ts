import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { deliveries } from '../../services/measurements.ts';
import { Client } from './client.ts';
import { Installation } from './harness.ts';
import { numbered, numbersOf } from './numbered.ts';

const installation = await Installation.open();
const { port } = await installation.start();
const token = await installation.register(9);
await installation.register(10);
afterAll(() => installation.close());

describe('live', () => {
  test('a socket gets the events of all its channels in the order of the log', async () => {
    await installation.createGroup(60, [9]);
    await installation.createGroup(61, [9]);
    const client = await Client.connect(port, { token });
    await Promise.all(['group-60', 'user-9', 'group-61'].map((name) => client.subscribe(name)));
    const channels = ['group-60', 'group-61', 'user-9'];
    for (let number = 0; number < 30; number += 2) {
      await installation.commit([
        numbered(channels[number % 3] ?? '', number),
        numbered(channels[(number * 7 + 1) % 3] ?? '', number + 1),
      ]);
    }
    await client.receivedTimes('message', 30);
    expect(numbersOf(client)).toEqual(Array.from({ length: 30 }, (_, number) => number));
    await client.close();
  });

  test('batches that were never announced are delivered in order when the next one is announced', async () => {
    const client = await Client.connect(port, { token });
    await client.subscribe('user-9');
    await installation.commit([numbered('user-9', 0)]);
    await installation.commitSilently([numbered('user-9', 1)]);
    await installation.commitSilently([numbered('user-9', 2)]);
    await installation.commit([numbered('user-9', 3)]);
    await installation.commit([numbered('user-9', 4)]);
    await client.receivedTimes('message', 5);
    expect(numbersOf(client)).toEqual([0, 1, 2, 3, 4]);
    await client.close();
  });

  test('a batch that is never announced is delivered all the same, and how late it was is measured', async () => {
    const measured: number[] = [];
    onTestFinished(deliveries.subscribe(({ ms }) => measured.push(ms)));
    const client = await Client.connect(port, { token });
    await client.subscribe('user-9');
    await installation.commitSilently([numbered('user-9', 1)]);
    await client.received('message');
    expect(measured).toEqual([expect.any(Number)]);
    await client.close();
  });

  test('a batch that is announced late or twice is delivered once', async () => {
    const client = await Client.connect(port, { token });
    await client.subscribe('user-9');
    const first = await installation.commitSilently([numbered('user-9', 1)]);
    const second = await installation.commitSilently([numbered('user-9', 2)]);
    second.publish();
    first.publish();
    await client.receivedTimes('message', 2);
    first.publish();
    second.publish();
    await installation.commit([numbered('user-9', 3)]);
    await client.receivedTimes('message', 3);
    expect(numbersOf(client)).toEqual([1, 2, 3]);
    await client.close();
  });
});

describe('after a database crashed and its latest batches are made again', () => {
  test('no socket gets them twice', async () => {
    const client = await Client.connect(port, { token });
    await client.subscribe('user-9');
    const commit = (number: number) => installation.commit([numbered('user-9', number)]);
    for (const number of [1, 2, 3]) await commit(number);
    await client.receivedTimes('message', 3);
    await installation.lose(3);
    for (const number of [1, 2, 3, 4]) await commit(number);
    await client.wait('the last', () => numbersOf(client).includes(4) || undefined);
    expect(numbersOf(client)).toEqual([1, 2, 3, 4]);
    await client.close();
  });

  test('a socket that subscribes meanwhile is closed with 4100, since it would miss them', async () => {
    const first = await Client.connect(port, { token });
    await first.subscribe('user-9');
    await installation.commit([numbered('user-9', 1)]);
    // Now the gateway has seen the batch that will be lost.
    await first.received('message');
    await first.close();
    await installation.lose(1);
    const early = await Client.connect(port, { token });
    early.ask('user-9');
    expect((await early.ended()).code).toBe(4100);
    await installation.commit([numbered('user-9', 1)]);
    const late = await Client.connect(port, { token });
    await late.subscribe('user-9');
    await installation.commit([numbered('user-9', 2)]);
    await late.received('message');
    expect(numbersOf(late)).toEqual([2]);
    await late.close();
  });
});

describe('membership', () => {
  test('a member who is removed gets nothing of that event and later ones, until they are back', async () => {
    await installation.createGroup(70, [10, 9]);
    const client = await Client.connect(port, { token });
    await client.subscribe('group-70');
    await installation.commit([numbered('group-70', 1)]);
    // Wait for it: events that a gateway reads late are not delivered to members who were removed meanwhile.
    await client.received('message');
    await installation.removeMembers(70, [9], [numbered('group-70', 2)]);
    await installation.commit([numbered('group-70', 3)]);
    await installation.joinGroup(70, 9);
    await installation.commit([numbered('group-70', 4)]);
    await client.wait('the last', () => numbersOf(client).includes(4) || undefined);
    expect(client.frames.filter(({ event }) => event === 'message').map(({ data }) => data)).toEqual([
      expect.objectContaining({ number: 1 }),
      expect.objectContaining({ content: '9 joined' }),
      expect.objectContaining({ number: 4 }),
    ]);
    await client.close();
  });

  test('a removal that the bus lost applies to earlier events that are read late', async () => {
    await installation.createGroup(71, [10, 9]);
    const client = await Client.connect(port, { token });
    await client.subscribe('group-71');
    await client.subscribe('user-9');
    await installation.pool.query('delete from read.group_members where gid = 71 and uid = 9');
    // Later than the removal, as the gateway looks by itself once it has received nothing for a second.
    await installation.commitSilently([numbered('group-71', 1)]);
    await installation.commit([{ channel: 'user-9', event: 'removeGroup', data: { gid: 71 } }]);
    await client.received('removeGroup');
    expect(numbersOf(client)).toEqual([]);
    await client.close();
  });

  test('a dissolved group has no subscribers', async () => {
    await installation.createGroup(72, [9]);
    const client = await Client.connect(port, { token });
    await client.subscribe('group-72');
    await installation.pool.query(`update read.groups set state = 'dissolved' where gid = 72`);
    await installation.commit([{ channel: 'user-9', event: 'removeGroup', data: { gid: 72 } }]);
    await installation.commit([numbered('group-72', 1)]);
    await client.subscribe('global');
    client.ask('group-72');
    await client.refused('group-72');
    expect(numbersOf(client)).toEqual([]);
    await client.close();
  });
});

test('the audit channel gets every message once, and nothing else', async () => {
  await installation.createGroup(80, [9]);
  const client = await Client.connect(port);
  client.askSigned('private-audit');
  await client.subscribed('private-audit');
  const between = (channel: string, content: string) => ({
    channel,
    event: 'message',
    data: { from: '9', to: '10', type: 'friend', content },
  });
  await installation.commit([between('user-9', 'the sender’s'), between('user-10', 'the other’s')]);
  await installation.commit([{ channel: 'group-80', event: 'updateGroup', data: { gid: 80 } }]);
  await installation.commit([numbered('group-80', 1)]);
  await client.receivedTimes('message', 2);
  expect(client.frames.slice(2).map(({ channel, event, data }) => ({ channel, event, data }))).toEqual([
    {
      channel: 'private-audit',
      event: 'message',
      data: expect.objectContaining({ content: 'the sender’s' }),
    },
    { channel: 'private-audit', event: 'message', data: expect.objectContaining({ number: 1 }) },
  ]);
  await client.close();
});

test('after the log was restored every socket is closed with 4200, and resuming gives reset', async () => {
  const restored = await Installation.open();
  const running = await restored.start();
  const own = await restored.register(9);
  const { positions } = await restored.commit([numbered('user-9', 1)]);
  const client = await Client.connect(running.port, { token: own });
  await client.subscribe('user-9');
  await restored.pool.query(
    `update followers.checkpoint set epoch = 'restored', position = '', batch = 0 where name = 'read'`,
  );
  expect(await client.ended()).toMatchObject({ code: 4200 });
  const again = await Client.connect(running.port, { token: own, since: positions[0] ?? '' });
  again.ask('user-9');
  await again.received('reset', 'user-9');
  await again.close();
  await restored.close();
});
