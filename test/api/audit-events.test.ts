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
  nothing: z.string().nullable(),
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
    [{ stream: 'user-999999' }, 'there is no stream user-999999'],
    [{ about: '999999', type: 'MessageSent' }, 'no event is about person 999999'],
    [{ category: 'reply' }, 'no stream of the category reply has events'],
    [{ type: 'GroupMuted' }, 'GroupMuted never happened'],
    [{ since: '32472144000' }, 'nothing was recorded since 2999-'],
    [{ until: '2020-01-01T00:00:00Z' }, 'nothing was recorded before 20'],
    [{ stream: 'user-999999', from: '3' }, 'there is no stream user-999999'],
    [{ type: 'MessageSent', stream: 'user-*' }, 'no event matches all that was asked for'],
    [{ from: '99999999' }, 'no event that was asked for has the number 99999999 or a higher one'],
  ])('says of %j why it has no event', async (query, nothing) => {
    expect(await page(query)).toMatchObject({ events: [], nothing: expect.stringContaining(nothing) });
  });

  test('does not say that there is nothing if there are events', async () => {
    expect((await page({ type: 'MessageSent', limit: '1' })).nothing).toBe(null);
  });

  test.each([
    ['about', 'tom', 'must be a whole number from 1 on'],
    [
      'conversation',
      '50',
      'those of two people are named as f3-9, the lower uid first, those of groups as g123456789',
    ],
    ['conversation', 'f9-3', '"f9-3" is no conversation: '],
    ['conversation', 'f3-3', '"f3-3" is no conversation: '],
    ['conversation', 'f03-9', '"f03-9" is no conversation: '],
    ['conversation', 'g0', '"g0" is no conversation: '],
    ['by', 'everybody', 'must be a uid, a whole number from 1 on, or server or nobody'],
    ['since', 'yesterday', '"yesterday" is neither seconds since 1970, nor an ISO time'],
    ['after', 'here', 'must be a position of the log, as events have it'],
    ['after', '0000000000000000001-0000000000000000001', 'is no position of this log'],
    ['limit', '0', 'must be a whole number from 1 on'],
    ['reverse', '2', 'must be 0 or 1'],
    ['type', 'MessageSent,MessageSnt', 'there is no event type "MessageSnt": there are UserRegistered, '],
    ['category', 'groups', 'there is no category "groups": there are user, friendship, group, '],
    ['stream', 'a,,b', '"" is no name of a stream'],
    ['stream', 'user-*-1', '"user-*-1" is no name of a stream'],
    ['stream', '$all', '"$all" is no name of a stream'],
    ['abuot', '9', 'audit/events has no such parameter: it takes stream, '],
  ])(
    'refuses %s=%s by the name of the parameter, and says what would be right',
    async (name, value, right) => {
      const { code, msg } = await ask({ [name]: value });
      expect(code).toBe(2);
      expect(msg).toContain(`参数${name}不合法: `);
      expect(msg).toContain(right);
    },
  );

  test('refuses bounds between which nothing can lie', async () => {
    const [first = '', second = ''] = (await page({ limit: '2' })).events.map(({ position }) =>
      String(position),
    );
    for (const [query, name, words] of [
      [{ since: '1795883540', until: '1795883530' }, 'since', 'since is not before until'],
      [{ after: second, up_to: first }, 'after', 'after is not before up_to'],
      [{ after: first, up_to: first }, 'after', 'after is not before up_to'],
    ] as const) {
      expect(await ask({ ...query })).toMatchObject({
        code: 2,
        msg: `参数${name}不合法: ${words}, so nothing lies between them`,
      });
    }
  });

  test('is for the server’s key alone', async () => {
    expect(await ask({}, {})).toMatchObject({ code: -1 });
  });
});
