import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DomainEvent } from '../../contracts/events/index.ts';
import { afterAll as afterAllOf } from '../../contracts/push/position.ts';
import type { PushRow } from '../../contracts/push/row.ts';
import { type Page, PushStore } from '../../services/pushes/push-store.ts';
import {
  befriended,
  between,
  created,
  inGroup,
  mid,
  registered,
  revoked,
  sent,
  uid,
} from '../support/events.ts';
import { openWorld, type World } from '../support/projecting.ts';

let world: World;
let client: Client;
let store: PushStore;

beforeAll(async () => {
  world = await openWorld();
  client = new Client({ connectionString: world.url });
  await client.connect();
  store = new PushStore(client);
  await world.given(
    ...[1, 2, 3].map((number) => registered(number, `人${number}`)),
    created(50, '群', 1, 2, 3),
    befriended(2, 1),
    { type: 'FriendRemarked', data: { by: uid(2), friend: uid(1), remark: '老一' } },
  );
  await world.project();
});

afterAll(async () => {
  await client.end();
  await world.close();
});

/** Whether the projector that works next stores a row that names a message, or rows with its whole text. */
const storeNames = (names: boolean) =>
  world.query(`update followers.checkpoint set names_messages = $1 where name = 'read'`, [names]);

const start = { place: '', number: afterAllOf };

/** The rows of all pages of a feed, or of the audit. */
async function pagesOf(read: (after: typeof start) => Promise<Page>): Promise<PushRow[]> {
  const all: PushRow[] = [];
  let next: typeof start | undefined = start;
  while (next !== undefined) {
    const page: Page = await read(next);
    all.push(...page.rows);
    next = page.next && { place: page.next.place, number: page.next.number };
  }
  return all;
}

const feed = (name: string) => pagesOf((after) => store.feedAfter(name, after, '', 2));
const audit = () => pagesOf((after) => store.messagesAfter(after, 2));

/** What a client gets, without the position, which differs from event to event. */
const shown = (rows: readonly PushRow[]) =>
  rows.map(({ channel, event, data }) => {
    const { position, ...rest } = JSON.parse(data);
    return { channel, event, rest };
  });

/** The last messages of each kind, by the mids that they have. */
const history = (first: number): DomainEvent[] => [
  sent(between(1, 2), 1, first, '早'),
  sent(between(1, 2), 2, first + 1, '早，"你"', { quoteMid: mid(first), uniqueId: `u${first}` }),
  sent(inGroup(50), 3, first + 2, '大家好'),
  sent(inGroup(50), 1, first + 3, '好', { quoteMid: mid(first + 2) }),
];

const mids = (rows: readonly PushRow[]) => rows.flatMap(({ data }) => JSON.parse(data).mid ?? []);

describe('the push of a message', () => {
  test('is read the same, whether its row names it or there is a row with its text for each channel', async () => {
    const read = async (names: boolean) => {
      await storeNames(names);
      const before = await world.given();
      await world.given(...history(100));
      await world.project();
      const rows = await world.pushRows(before);
      const stored = await world.query('select 1 from pushes.push where place > $1', [before]);
      // The same mids come again.
      await world.query(`delete from read.messages`);
      await world.query(`delete from read.conversations`);
      return { pushed: shown(rows), stored: stored.length };
    };
    const whole = await read(false);
    const named = await read(true);
    expect(named.pushed).toEqual(whole.pushed);
    expect(whole.stored).toBe(6);
    expect(named.stored).toBe(4);
    expect(named.pushed).toContainEqual({
      ...{ channel: 'user-2', event: 'message' },
      rest: expect.objectContaining({ from: '1', from_name: '老一', to_name: '人2', content: '早' }),
    });
    expect(named.pushed).toContainEqual({
      ...{ channel: 'user-2', event: 'message' },
      rest: expect.objectContaining({ from: '2', to_name: '老一', quote_content: '早', uniqueId: 'u100' }),
    });
    await world.query('delete from pushes.push');
  });

  test('comes once and in order, in pages over rows of both kinds, on every channel that it is for', async () => {
    for (const [index, names] of [true, false, true].entries()) {
      await storeNames(names);
      await world.given(...history(200 + 10 * index));
      await world.project();
    }
    const [friends, group] = [
      [200, 201, 210, 211, 220, 221],
      [202, 203, 212, 213, 222, 223],
    ];
    expect(mids(await feed('user-1'))).toEqual(friends);
    expect(mids(await feed('user-2'))).toEqual(friends);
    expect(mids(await feed('user-3'))).toEqual([]);
    expect(mids(await feed('group-50'))).toEqual(group);
    const audited = (await audit()).filter(
      ({ channel, data }) => !channel.startsWith('user-') || channel === `user-${JSON.parse(data).from}`,
    );
    expect(mids(audited)).toEqual([200, 201, 202, 203, 210, 211, 212, 213, 220, 221, 222, 223]);
    expect(await store.missed('user-1', start, '', 100)).toEqual({ count: 6, kept: true });
    expect(await store.missed('group-50', start, '', 3)).toEqual({ count: 3, kept: true });
    const missed = await store.rowsBetween(['user-1', 'group-50'], start, '~', 5);
    expect(mids(missed.rows)).toEqual([200, 201, 202, 203, 210]);
    const rest = await store.rowsBetween(['user-1', 'group-50'], missed.next ?? start, '~', 7);
    expect(mids(rest.rows)).toEqual([211, 212, 213, 220, 221, 222, 223]);
  });

  test('shows what became of the message, in rows of both kinds', async () => {
    const deleted = (sequence: number, number: number): DomainEvent => ({
      type: 'MessageDeleted',
      data: { conversation: inGroup(50), by: uid(3), mid: mid(number), sequence, scope: 'all' },
    });
    const sequenceOf = async (number: number) =>
      Number(
        (
          await world.query<{ sequence: string }>('select sequence from read.messages where mid = $1', [
            number,
          ])
        )[0]?.sequence,
      );
    for (const number of [200, 210]) {
      await world.given(
        revoked(between(1, 2), 1, number, await sequenceOf(number)),
        deleted(await sequenceOf(number + 2), number + 2),
      );
    }
    await world.project();
    const now = (rows: readonly PushRow[]) =>
      shown(rows).flatMap(({ event, rest }) =>
        event === 'message' ? [[rest.mid, rest.sub_type, rest.content, rest.quote_content]] : [],
      );
    expect(now(await feed('user-2')).slice(0, 4)).toEqual([
      [200, 'notice', '此消息已撤回', undefined],
      [201, 'message', '早，"你"', '此消息已撤回'],
      [210, 'notice', '此消息已撤回', undefined],
      [211, 'message', '早，"你"', '此消息已撤回'],
    ]);
    expect(now(await feed('group-50'))).toEqual([
      [203, 'message', '好', ''],
      [213, 'message', '好', ''],
      [222, 'message', '大家好', undefined],
      [223, 'message', '好', '大家好'],
    ]);
  });
});
