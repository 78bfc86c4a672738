import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { announcementList } from '../../contracts/http/announcement.ts';
import { streamName } from '../../services/domain/aggregate.ts';
import { type RunningApplication, serverKey, startApplication } from '../support/application.ts';
import { call, client, done, type Person, person, refusedWith } from '../support/client.ts';

let now = Date.UTC(2024, 0, 1);
let running: RunningApplication;
beforeAll(async () => {
  running = await startApplication({ now: () => now });
});
afterAll(() => running.stop());

const hour = 3_600_000;
const server = (method: 'GET' | 'POST', path: string, parameters = {}, headers = serverKey) =>
  call(running, method, path, parameters, headers);

/** Sends one, an hour after the last, so that the limit of an hour does not matter. */
async function announce(content: string, more = {}): Promise<number> {
  now += hour;
  const sent = await server('POST', '/announcement/send', { content, ...more });
  return z.object({ id: z.int() }).parse(sent.data).id;
}
const list = async (reader: Person, page = {}) =>
  announcementList.data.parse((await reader.get('/announcement/list', page)).data);
const contents = async (reader: Person, page = {}) =>
  (await list(reader, page)).announcements.map(({ content }) => content);

describe('an announcement', () => {
  test('is one event and one push to everyone, and in the lists of people who join later', async () => {
    const tom = await client(running, '汤姆');
    const { position } = z.object({ position: z.string() }).parse((await tom.get('/message/sync')).data);
    const id = await announce('今晚维护');
    expect((await tom.get('/message/sync', { since: position })).data).toMatchObject({
      events: [{ channel: 'announcements', event: 'announcement', data: { id, content: '今晚维护' } }],
    });
    now += hour;
    const later = await client(running, '后来');
    expect(await list(later)).toMatchObject({
      announcements: [{ id, content: '今晚维护', timestamp: (now - hour) / 1000 }],
      ...{ seen: 0, unread: 0 },
    });
  });

  test('counts as unread until the person has seen it, on all of their devices, and never again', async () => {
    now += hour;
    const tom = await person(running, '汤姆');
    const [first, second] = [await announce('一'), await announce('二')];
    expect(await list(tom)).toMatchObject({ unread: 2 });
    expect(await tom.post('/announcement/seen', { id: first })).toEqual(done);
    expect(await list(tom)).toMatchObject({ seen: first, unread: 1 });
    expect(await tom.post('/announcement/seen', { id: second })).toEqual(done);
    expect(await tom.post('/announcement/seen', { id: first })).toEqual(done);
    expect(await list(tom)).toMatchObject({ seen: second, unread: 0 });
    expect(await tom.post('/announcement/seen', { id: second + 1 })).toMatchObject({ code: 3 });
  });

  test('is taken back everywhere when it is revoked: in the list, in what is unread, and in what was pushed', async () => {
    now += hour;
    const tom = await person(running, '汤姆');
    const { position } = z.object({ position: z.string() }).parse((await tom.get('/message/sync')).data);
    const [wrong, right] = [await announce('写错了的公告'), await announce('对的')];
    expect(await server('POST', '/announcement/revoke', { id: wrong })).toEqual(done);
    expect(await server('POST', '/announcement/revoke', { id: wrong })).toEqual(done);
    expect(await server('POST', '/announcement/revoke', { id: right + 1 })).toMatchObject({ code: 3 });
    expect(await contents(tom)).not.toContain('写错了的公告');
    expect(await list(tom)).toMatchObject({ unread: 1 });
    const missed = await tom.get('/message/sync', { since: position });
    expect(JSON.stringify(missed)).not.toContain('写错了的公告');
    expect(missed.data).toMatchObject({
      events: [
        { event: 'announcement', data: { id: right } },
        { event: 'announcement_revoke', data: { id: wrong } },
      ],
    });
    const { rows } = await running.application.pool.query(
      "select from pushes.push where data like '%写错了%'",
    );
    expect(rows).toHaveLength(0);
  });

  test('is sent once under a uniqueId, which no other text can have', async () => {
    const id = await announce('只有一条', { uniqueId: 'once' });
    expect(await announce('只有一条', { uniqueId: 'once' })).toBe(id);
    expect(await server('POST', '/announcement/send', { content: '另一条', uniqueId: 'once' })).toMatchObject(
      { code: 2 },
    );
  });

  test('is listed by pages, the newest first', async () => {
    const tom = await person(running, '汤姆');
    for (const content of ['甲', '乙', '丙']) await announce(content);
    const [newest] = (await list(tom, { limit: 1 })).announcements;
    expect(newest?.content).toBe('丙');
    expect(await contents(tom, { limit: 2, before: newest?.id })).toEqual(['乙', '甲']);
    const all = await server('GET', '/announcement/list', { limit: 1 });
    expect(all.data).toEqual({ announcements: [newest] });
  });

  test('has up to 2,000 characters, and there are up to 20 in an hour', async () => {
    const send = (content: string) => server('POST', '/announcement/send', { content });
    expect(await send('字'.repeat(2_001))).toEqual(refusedWith(2, '参数content不合法'));
    expect(await send('')).toMatchObject({ code: 1 });
    now += 2 * hour;
    for (let sent = 0; sent < 20; sent++) expect(await send('字'.repeat(2_000))).toMatchObject({ code: 0 });
    expect(await send('多了')).toEqual(refusedWith(429, '公告过于频繁,请在60分钟后再试'));
    now += hour + 1_000;
    expect(await send('又可以了')).toMatchObject({ code: 0 });
  });

  test('is counted as unread up to the 1,000th', async () => {
    now += hour;
    const tom = await person(running, '汤姆');
    const { pool } = running.application;
    const first = 1_000_000_000;
    const add = (from: number, to: number) =>
      pool.query(
        `insert into read.announcements (id, content, timestamp, revoked)
         select $1 + number, '很多', $2, false from generate_series($3::int, $4::int) number`,
        [first, Math.floor(now / 1000), from, to],
      );
    await add(1, 999);
    expect(await list(tom)).toMatchObject({ unread: 999 });
    await add(1_000, 1_001);
    expect(await list(tom)).toMatchObject({ unread: 1_000 });
    await pool.query('delete from read.announcements where id > $1', [first]);
  });

  test('is sent and revoked by the server’s key alone, and read by nobody who is not logged in', async () => {
    const tom = await client(running, '汤姆');
    for (const [path, parameters] of [
      ['/announcement/send', { content: 'x' }],
      ['/announcement/revoke', { id: 1 }],
    ] as const) {
      expect(await tom.post(path, parameters)).toEqual(refusedWith(2, '没有权限调用该接口'));
      expect(await call(running, 'POST', path, parameters, {})).toMatchObject({ code: -1 });
    }
    expect(await call(running, 'GET', '/announcement/list', {}, {})).toMatchObject({ code: -1 });
    expect(await call(running, 'POST', '/announcement/seen', { id: 1 }, {})).toMatchObject({ code: -1 });
  });

  test('is in the log under the key that sent it', async () => {
    const actors = [];
    for await (const { metadata } of running.application.log.readStream(streamName('announcement'))) {
      actors.push(metadata.actor);
    }
    expect(new Set(actors)).toEqual(new Set(['server']));
  });
});
