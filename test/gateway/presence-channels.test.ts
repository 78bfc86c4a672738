import { pino } from 'pino';
import { afterAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Client } from './client.ts';
import { Installation } from './harness.ts';

const installation = await Installation.open();
const first = await installation.start({ gatewayTimeoutMs: 6_000 });
const second = await installation.start({ gatewayTimeoutMs: 6_000 });
afterAll(() => installation.close());

const Listed = z.object({ presence: z.object({ count: z.number() }) });

describe('a presence channel', () => {
  const list = (...ids: string[]) => ({
    presence: { count: ids.length, ids: expect.arrayContaining(ids), hash: expect.anything() },
  });

  /** The number of members by the list and the changes that a client received. */
  function membersOf(client: Client): number {
    const count = (event: string) => client.frames.filter((frame) => frame.event === event).length;
    const [listed] = client.frames.flatMap(({ data }) => Listed.safeParse(data).data?.presence.count ?? []);
    return (listed ?? 0) + count('pusher_internal:member_added') - count('pusher_internal:member_removed');
  }

  async function join(port: number, userId: string, info?: object): Promise<Client> {
    const client = await Client.connect(port);
    client.askSigned('presence-room', { user_id: userId, user_info: info });
    return client;
  }

  test('shows the members of all gateways, and who joins and leaves', async () => {
    const anne = await join(first.port, 'anne', { name: 'Anne' });
    expect((await anne.subscribed('presence-room')).data).toEqual({
      presence: { count: 1, ids: ['anne'], hash: { anne: { name: 'Anne' } } },
    });
    const bert = await join(second.port, 'bert');
    expect((await bert.subscribed('presence-room')).data).toEqual(list('anne', 'bert'));
    expect(await anne.received('pusher_internal:member_added')).toMatchObject({
      channel: 'presence-room',
      data: { user_id: 'bert' },
    });
    const bertAgain = await join(first.port, 'bert');
    expect((await bertAgain.subscribed('presence-room')).data).toEqual(list('anne', 'bert'));
    await bert.close();
    await bertAgain.close();
    expect(await anne.received('pusher_internal:member_removed')).toMatchObject({
      data: { user_id: 'bert' },
    });
    expect(anne.frames.filter(({ event }) => event === 'pusher_internal:member_added')).toHaveLength(1);
    await anne.close();
  });

  test('removes a member who left while the database failed, once it works again', async () => {
    const warnings: string[] = [];
    const logger = pino({ level: 'warn' }, { write: (line) => void warnings.push(line) });
    const failing = await installation.start({}, installation.bus, { logger });
    const [anne, bert] = [await join(failing.port, 'anne'), await join(failing.port, 'bert')];
    await anne.subscribed('presence-room');
    await bert.subscribed('presence-room');
    await anne.wait('both members', () => membersOf(anne) === 2 || undefined);
    await installation.pool.query('alter table presence.departures rename to absent');
    await bert.close();
    const hasFailed = () => warnings.some((line) => line.includes('presence channels could not be written'));
    await expect.poll(hasFailed).toBe(true);
    await installation.pool.query('alter table presence.absent rename to departures');
    expect(await anne.received('pusher_internal:member_removed')).toMatchObject({
      data: { user_id: 'bert' },
    });
    await anne.close();
  });

  test('of a group removes a member who is removed, and adds them again when they are back', async () => {
    const [uid, other] = [101, 102];
    const token = await installation.register(uid);
    const otherToken = await installation.register(other);
    await installation.createGroup(55, [uid, other]);
    const channel = 'presence-group-55';
    const staying = await Client.connect(first.port, { token });
    const going = await Client.connect(second.port, { token: otherToken });
    staying.askSigned(channel, { user_id: String(uid) });
    await staying.subscribed(channel);
    going.askSigned(channel, { user_id: String(other) });
    expect((await going.subscribed(channel)).data).toEqual(list(String(uid), String(other)));
    // Without this a member who joins and leaves before the other gateway reads is not announced.
    await staying.received('pusher_internal:member_added');
    await installation.removeMembers(55, [other]);
    expect(await staying.received('pusher_internal:member_removed')).toMatchObject({
      data: { user_id: String(other) },
    });
    await installation.joinGroup(55, other);
    await staying.receivedTimes('pusher_internal:member_added', 2);
    await Promise.all([staying.close(), going.close()]);
  });
});
