import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { type Auditor, startAuditor } from '../../services/audit/auditor.ts';
import { type RunningApplication, serverKey, startApplication } from '../support/application.ts';
import { type Person, refusedWith, two } from '../support/client.ts';
import { silent } from '../support/projecting.ts';

const Page = z.object({
  events: z.array(
    z.looseObject({
      number: z.int(),
      type: z.string(),
      words: z.string().nullable(),
      data: z.record(z.string(), z.unknown()),
    }),
  ),
  next: z.int().nullable(),
  indexed: z.int(),
});

let running: RunningApplication;
let auditor: Auditor;
let tom: Person;
let jerry: Person;

async function ask(query: Record<string, string>, headers: Record<string, string> = serverKey) {
  const answer = await running.server.inject({ url: '/audit/events', query, headers });
  return answer.json();
}

/** The chat of two people, who register at the same time: either may have the lower uid. */
const between = (one: Person, other: Person) =>
  `f${Math.min(one.uid, other.uid)}-${Math.max(one.uid, other.uid)}`;

async function page(query: Record<string, string>) {
  const { code, msg, data } = await ask(query);
  expect([code, msg]).toEqual([0, 'ok']);
  return Page.parse(data);
}

beforeAll(async () => {
  running = await startApplication();
  expect(await ask({})).toMatchObject(refusedWith(3, '日志没有索引'));
  [tom, jerry] = await two(running);
  for (const content of ['一', '二', '三', '四']) {
    await tom.post('/message/send', { to: jerry.uid, type: 'friend', content });
  }
  const { log } = running.application;
  auditor = await startAuditor({ log, database: running.databaseUrl, logger: silent });
  const end = await log.end();
  await vi.waitUntil(() => auditor.status().checkpoint >= end, { timeout: 15_000 });
});

afterAll(async () => {
  await auditor.stop();
  await running.stop();
});

describe('/audit/events', () => {
  test('gives events with what they are about, in words, and with what the log holds', async () => {
    const { events, next, indexed } = await page({
      type: 'MessageSent',
      about: String(jerry.uid),
      limit: '1',
    });
    expect(events).toEqual([
      expect.objectContaining({
        actor: 'server',
        acted_for: tom.uid,
        people: [tom.uid, jerry.uid],
        conversation: between(tom, jerry),
        words: expect.stringMatching(
          new RegExp(`^message \\d+ from person ${tom.uid} to person ${jerry.uid}: "一"$`),
        ),
        data: expect.objectContaining({ content: '一', from: tom.uid }),
        metadata: expect.objectContaining({ actor: 'server', for: tom.uid }),
      }),
    ]);
    expect(next).toBeGreaterThan(events[0]?.number ?? 0);
    expect(indexed).toBeGreaterThan(5);
  });

  test.each([
    ['0', ['一', '二', '三', '四']],
    ['1', ['四', '三', '二', '一']],
  ])('is paged by number, without a gap and nothing twice (reverse: %s)', async (reverse, contents) => {
    const read: unknown[] = [];
    let from: number | null | undefined;
    do {
      const query = { by: String(tom.uid), type: 'MessageSent', limit: '1', reverse };
      const { events, next } = await page(from === undefined ? query : { ...query, from: String(from) });
      read.push(...events.map(({ data }) => data.content));
      from = next;
    } while (from !== null);
    expect(read).toEqual(contents);
  });

  test('combines what is asked for', async () => {
    const conversation = between(tom, jerry);
    expect((await page({ conversation, category: 'conversation' })).events).toHaveLength(4);
    expect((await page({ stream: 'user-*', about: String(tom.uid) })).events).toMatchObject([
      { type: 'UserRegistered' },
    ]);
    expect((await page({ until: '2020-01-01T00:00:00Z' })).events).toEqual([]);
    expect((await page({ until: '2999-01-01T00:00:00Z', limit: '1' })).events).toHaveLength(1);
    const [first] = (await page({ type: 'MessageSent' })).events;
    const correlation = String(first?.correlation);
    expect((await page({ correlation, caused_by: correlation })).events).toMatchObject([
      { data: { content: '一' } },
    ]);
    const { events } = await page({ after: String(first?.position), type: 'MessageSent' });
    expect(events.map(({ data }) => data.content)).toEqual(['二', '三', '四']);
  });

  test.each([
    ['about', 'tom'],
    ['conversation', '50'],
    ['by', 'everybody'],
    ['since', 'yesterday'],
    ['after', 'here'],
    ['after', '0000000000000000001-0000000000000000001'],
    ['limit', '0'],
    ['type', 'MessageSent,MessageSnt'],
    ['category', 'groups'],
    ['stream', 'a,,b'],
    ['stream', 'user-*-1'],
    ['stream', '$all'],
    ['abuot', '9'],
  ])('refuses %s=%s by the name of the parameter', async (name, value) => {
    expect(await ask({ [name]: value })).toMatchObject({
      code: 2,
      msg: expect.stringContaining(`参数${name}不合法`),
    });
  });

  test('is for the server’s key alone', async () => {
    expect(await ask({}, {})).toMatchObject({ code: -1 });
  });
});
