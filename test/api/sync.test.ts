import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { messageSync } from '../../contracts/http/message.ts';
import { type RunningApplication, startApplication } from '../support/application.ts';
import { befriend, call, createGroup, type Person, three, two } from '../support/client.ts';

let running: RunningApplication;
beforeAll(async () => {
  running = await startApplication();
});
afterAll(() => running.stop());

async function sync(of: Person, since?: string, limit?: number) {
  const given = { ...(since === undefined ? {} : { since }), ...(limit === undefined ? {} : { limit }) };
  return messageSync.data.parse((await of.get('/message/sync', given)).data);
}

/** Where the record ends now. */
const present = async (of: Person) => (await sync(of)).position;

const say = (from: Person, to: Person, content: string) =>
  from.post('/message/send', { to: to.uid, type: 'friend', content });

const sayIn = (from: Person, gid: number, content: string) =>
  from.post('/message/send', { to: gid, type: 'group', content });

const essence = (events: z.infer<typeof messageSync.data>['events']) =>
  events.map(({ channel, event, data }) => [channel, event, data.gid ?? data.content ?? data.uid]);

describe('message/sync', () => {
  test('without a position, or with an illegal one, says to load afresh', async () => {
    const [tom, jerry] = await two(running);
    await say(jerry, tom, '早');
    const position = await present(tom);
    for (const since of [undefined, 'nonsense', 'othercopy.0000000000000001.0', '..', '中.文.1']) {
      expect(await sync(tom, since)).toEqual({ events: [], reset: true, position });
    }
  });

  test('says to load afresh if the position is beyond the end of the log, as after a restored backup', async () => {
    const [tom, jerry] = await two(running);
    await say(jerry, tom, '早');
    const position = await present(tom);
    const [epoch, place] = position.split('.');
    const later = `${epoch}.${String(Number(place) + 1000).padStart(16, '0')}.0`;
    expect(await sync(tom, later)).toEqual({ events: [], reset: true, position });
  });

  test('gives what came strictly after the position, over all channels in the order of the log', async () => {
    const [tom, jerry] = await two(running);
    const since = await present(tom);
    await befriend(jerry, tom);
    const gid = await createGroup(tom, jerry);
    await sayIn(jerry, gid, '群里');
    await say(tom, jerry, '私下');
    await call(running, 'POST', '/setting/update', { emoji: 'off' });
    const { events, reset, position } = await sync(tom, since);
    expect(reset).toBe(false);
    expect(essence(events)).toEqual([
      [`user-${tom.uid}`, 'addFriend', jerry.uid],
      [`user-${tom.uid}`, 'addGroup', gid],
      [`group-${gid}`, 'message', 'tom创建了群聊,邀请了jerry'],
      [`group-${gid}`, 'message', '群里'],
      [`user-${tom.uid}`, 'message', '私下'],
      ['global', 'settingChange', undefined],
    ]);
    expect(events.map((event) => event.position)).toEqual(events.map(({ data }) => data.position));
    expect(await sync(tom, position)).toEqual({ events: [], reset: false, position });
    const [, second] = events;
    expect((await sync(tom, second?.position)).events).toEqual(events.slice(2));
  });

  test('continues after the previous page, and returns everything once', async () => {
    const [tom, jerry] = await two(running);
    let since = await present(tom);
    for (let index = 0; index < 25; index++) await say(jerry, tom, `第${index}条`);
    const pages: string[][] = [];
    for (;;) {
      const page = await sync(tom, since, 10);
      since = page.position;
      if (page.events.length === 0) break;
      pages.push(page.events.map(({ data }) => String(data.content)));
    }
    expect(pages.map((page) => page.length)).toEqual([10, 10, 5]);
    expect(pages.flat()).toEqual(Array.from({ length: 25 }, (_, index) => `第${index}条`));
  });

  test('moves on over events that were not for the caller', async () => {
    const [tom, jerry, spike] = await three(running);
    const since = await present(tom);
    await say(jerry, spike, '不是给汤姆的');
    const { events, position, reset } = await sync(tom, since);
    expect({ events, reset }).toEqual({ events: [], reset: false });
    expect(position > since).toBe(true);
  });

  test('of a group gives what came since the latest joining, and nothing once one has left', async () => {
    const [tom, jerry] = await two(running);
    const gid = await createGroup(tom);
    const since = await present(jerry);
    await sayIn(tom, gid, '还没来');
    await jerry.post('/group/join', { gid });
    await sayIn(tom, gid, '来了');
    expect(essence((await sync(jerry, since)).events)).toContainEqual([`group-${gid}`, 'message', '来了']);
    await jerry.post('/group/leave', { gid });
    expect(essence((await sync(jerry, since)).events)).toEqual([
      [`user-${jerry.uid}`, 'addGroup', gid],
      [`user-${jerry.uid}`, 'message', 'jerry加入了群聊'],
      [`user-${jerry.uid}`, 'removeGroup', gid],
    ]);
    await sayIn(tom, gid, '走了');
    await jerry.post('/group/join', { gid });
    await sayIn(tom, gid, '又来了');
    const contents = (await sync(jerry, since)).events
      .filter(({ channel, data }) => channel === `group-${gid}` && data.sub_type === 'message')
      .map(({ data }) => data.content);
    expect(contents).toEqual(['又来了']);
  });

  test('says to load afresh if a channel has more than a thousand events, or the older ones were deleted', async () => {
    const [tom, jerry] = await two(running);
    const since = await present(tom);
    await say(jerry, tom, '一');
    const client = new Client({ connectionString: running.databaseUrl });
    await client.connect();
    try {
      const fill = (count: number) =>
        client.query(
          `insert into pushes.push (place, number, channel, event, data, batch)
           select p.place, p.number + n, $1, 'message', p.data, p.batch
             from (select * from pushes.push order by place desc, number desc limit 1) p,
                  generate_series(1, $2::int) n`,
          [`user-${tom.uid}`, count],
        );
      await fill(999);
      expect((await sync(tom, since, 1000)).events).toHaveLength(1000);
      await fill(1);
      expect(await sync(tom, since, 1000)).toMatchObject({ events: [], reset: true });
      await client.query('delete from pushes.push where channel = $1 and number > 0', [`user-${tom.uid}`]);
      await client.query("update pushes.push set created = now() - interval '8 days'");
      expect(await sync(tom, `${since.split('.')[0]}..0`)).toMatchObject({ events: [], reset: true });
    } finally {
      await client.end();
    }
  });
});

describe('a message that was removed for all', () => {
  const Sent = z.object({ mid: z.int() });
  const send = async (from: Person, parameters: object) =>
    Sent.parse((await from.post('/message/send', { ...parameters })).data).mid;

  test.each(['group', 'friend'] as const)(
    'is removed from the replay, with its quotes (%s)',
    async (type) => {
      const [tom, jerry] = await two(running);
      await befriend(tom, jerry);
      const to = type === 'group' ? await createGroup(tom, jerry) : jerry.uid;
      const since = await present(jerry);
      const chat = { to, type };
      const revoked = await send(tom, { ...chat, content: 'secret one' });
      const deleted = await send(tom, { ...chat, content: 'secret two' });
      await send(tom, { ...chat, content: 'about one', quote_mid: revoked });
      await send(tom, { ...chat, content: 'about two', quote_mid: deleted });
      await tom.post('/message/revoke', { id: to, type, mid: revoked });
      await tom.post('/message/delete', { id: to, type, mid: deleted, ty: 2 });
      const { events, reset } = await sync(jerry, since);
      expect(reset).toBe(false);
      expect(JSON.stringify(events)).not.toContain('secret');
      expect(events.map(({ event, data }) => [event, data.mid, data.content, data.quote_content])).toEqual([
        ['message', revoked, '此消息已撤回', undefined],
        ['message', expect.any(Number), 'about one', '此消息已撤回'],
        ['message', expect.any(Number), 'about two', ''],
        ['revoke', revoked, undefined, undefined],
        ['message_delete', deleted, undefined, undefined],
      ]);
      expect(events[0]?.data).toMatchObject({ sub_type: 'notice', position: expect.any(String) });
    },
  );

  test('stays for the others if a person deleted it for themselves only', async () => {
    const [tom, jerry] = await two(running);
    await befriend(tom, jerry);
    const since = await present(jerry);
    const mid = await send(tom, { to: jerry.uid, type: 'friend', content: 'kept' });
    await tom.post('/message/delete', { id: jerry.uid, type: 'friend', mid, ty: 1 });
    expect(essence((await sync(jerry, since)).events)).toEqual([[`user-${jerry.uid}`, 'message', 'kept']]);
  });
});
