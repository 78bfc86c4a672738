import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { readModelCategories } from '../../../contracts/events/index.ts';
import { readModelsVersion } from '../../../projections/rebuild/version.ts';
import { answerQuery } from '../../../services/api/past/query.ts';
import { parseQuery } from '../../../services/audit/as-of/query.ts';
import { type Auditor, startAuditor } from '../../../services/audit/auditor.ts';
import { type Moment, momentAt } from '../../../services/audit/moment.ts';
import type { EventLog, Position } from '../../../services/log/log.ts';
import { silent } from '../../support/accounts.ts';
import { type RunningApplication, serverKey } from '../../support/application.ts';
import { startApplicationOnStore } from '../../support/application-on-store.ts';
import { pastParts } from '../../support/asking-the-past.ts';
import { call } from '../../support/client.ts';
import { momentAfterPosition } from '../../support/explaining.ts';
import { Callers, type RandomCall, randomCalls } from '../../support/random-calls.ts';
import { sayVersionOfReadModels } from '../../support/read-models-version.ts';
import { wrapLog } from '../../support/wrapped-log.ts';

/*
 * What the API answered during a random history is asked for afterwards, and is the same byte for byte: from read
 * models that were made of the whole log, of what concerns the people asked about, and of that with the messages that the
 * present read models have.
 */

let running: RunningApplication;

interface Noted {
  readonly position: Position;
  /** A time after this event and before the next one, in milliseconds since 1970. */
  readonly time: number;
  readonly query: string;
  readonly answer: string;
}

type Asked = Pick<Noted, 'position' | 'query'>;

/** The queries of one person about a chat, as their words. */
function queriesOf(callers: Callers, me: number, other: number): string[] {
  const { gid } = callers;
  const mine = `--login_uid ${me}`;
  return [
    `pop/get ${mine}`,
    `pop/get ${mine} --limit 2 --start 1`,
    `pop/getsetting`,
    `user/getuserinfo ${mine}`,
    `message/get ${mine} --id ${gid} --type group`,
    `message/get ${mine} --id ${other} --type friend --limit 3`,
    `message/unreadcount ${mine} --id ${gid} --type group`,
    `message/unreadcount ${mine} --id ${other} --type friend`,
    `group/members ${mine} --gid ${gid}`,
    `group/members ${mine} --gid ${gid} --pinyin 1`,
    `group/detail ${mine} --gid ${gid} --at 1`,
    `group/ismanager ${mine} --gid ${gid} --uid ${other}`,
    `friend/getlist ${mine}`,
    `friend/get_temp_list ${mine}`,
    `friend/applylist ${mine}`,
    `friend/applycount ${mine}`,
    `user/get ${mine} --uid ${other}`,
    `user/get --uid ${other}`,
    `user/multiGet --uid ${me},${other}`,
    `user/multiGet --uid[1]=${me} --uid[0]=${other}`,
    `user/detail ${mine} --uid ${other}`,
    `setting/get`,
    `announcement/list ${mine}`,
    `reply/get ${mine}`,
    `friend/applydetail ${mine} --nid 1`,
    `group/qrcode ${mine} --gid ${gid}`,
    `group/memberlist --gid ${gid}`,
    `group/memberlist --gid ${gid} --index 2 --limit 1`,
    `group/list --gid ${gid}`,
    `group/list --uid ${me}`,
    `group/list --groupname 群`,
    `group/list --from ${gid - 1}. --limit 1`,
    `user/list --from ${me - 1}. --limit 2`,
    `user/list --nickname 甲`,
  ];
}

async function note(query: string): Promise<Noted> {
  const position = await running.application.log.end();
  const parsed = parseQuery(query.split(' '));
  if (parsed.kind !== 'call') throw new Error(`${query} is no call`);
  const { payload } = await running.server.inject({
    method: parsed.path === '/group/ismanager' ? 'POST' : 'GET',
    url: `/api${parsed.path}?${parsed.search}`,
    headers: serverKey,
  });
  await running.shown();
  const time = Date.now();
  await vi.waitUntil(() => Date.now() > time, { interval: 1 });
  return { position, time, query, answer: payload };
}

async function answerAt(moment: Moment, query: string, log = running.application.log): Promise<string> {
  return answerQuery(pastParts(running.application, { log }), parseQuery(query.split(' ')), moment);
}

async function answerThen({ position, query }: Asked, log?: EventLog): Promise<string> {
  return answerAt(await momentAfterPosition(running, position), query, log);
}

/** Makes random calls, and notes answers in between. */
async function live(callers: Callers, calls: Parameters<Callers['make']>[0][]): Promise<Noted[]> {
  const noted: Noted[] = [];
  for (const call of calls) {
    await callers.make(call);
    await running.shown();
    const [me, other] = [callers.person(call.who).uid, callers.person(call.who + 1 + (call.back % 3)).uid];
    const queries = queriesOf(callers, me, other);
    for (const index of [noted.length, call.back * 7])
      noted.push(await note(queries[index % queries.length] ?? ''));
  }
  return noted;
}

/** Of each kind that changes what a list of chats shows: in the group, and between the first two. */
const eventfulCalls: RandomCall[] = [
  { what: 'join', who: 2, whom: 2, back: 0 },
  { what: 'befriend', who: 0, whom: 1, back: 0 },
  { what: 'send', who: 0, whom: 0, back: 0 },
  { what: 'send', who: 2, whom: 2, back: 1 },
  { what: 'send', who: 1, whom: 1, back: 5 },
  { what: 'send', who: 0, whom: 1, back: 0 },
  { what: 'send', who: 1, whom: 0, back: 5 },
  { what: 'read all', who: 2, whom: 2, back: 0 },
  { what: 'revoke', who: 2, whom: 2, back: 1 },
  { what: 'delete', who: 0, whom: 1, back: 0 },
  { what: 'delete', who: 1, whom: 1, back: 1 },
  { what: 'hide', who: 0, whom: 1, back: 0 },
  { what: 'mute all', who: 0, whom: 0, back: 1 },
  { what: 'leave', who: 2, whom: 2, back: 0 },
  { what: 'send', who: 1, whom: 1, back: 2 },
  { what: 'join', who: 2, whom: 2, back: 0 },
  { what: 'send', who: 0, whom: 0, back: 3 },
  { what: 'read all', who: 2, whom: 2, back: 0 },
  { what: 'part', who: 1, whom: 0, back: 0 },
];

/** The log, of which no conversation is read as a whole. */
function withoutConversations(): EventLog {
  const { log } = running.application;
  return wrapLog(log, {
    readStreams: (streams, options) => {
      expect(streams.filter((stream) => stream.startsWith('conversation-'))).toEqual([]);
      return log.readStreams(streams, options);
    },
  });
}

describe.each([
  ['Postgres', false],
  ['EventStoreDB (a double)', true],
])('of a log in %s', (_, isEventStore) => {
  beforeAll(async () => {
    running = await startApplicationOnStore(isEventStore);
  });
  afterAll(() => running.stop());

  test('every answer of a random history is given again, byte for byte, from the whole log', async () => {
    await fc.assert(
      fc.asyncProperty(randomCalls, async (calls) => {
        const noted = await live(await Callers.meet(running), calls.slice(0, 12));
        for (const each of noted.filter((_, index) => index % 3 === 0))
          expect(await answerThen(each), each.query).toBe(each.answer);
      }),
      { numRuns: 2, endOnFailure: true },
    );
  });

  describe('with an index of the log', () => {
    let auditor: Auditor;
    let callers: Callers;
    let noted: Noted[];
    let positions: Position[];
    beforeAll(async () => {
      const { log } = running.application;
      auditor = await startAuditor({ log, database: running.databaseUrl, logger: silent });
      callers = await Callers.meet(running);
      const begin = await log.end();
      const [calls = []] = fc.sample(randomCalls, 1);
      noted = await live(callers, [...calls.slice(0, 12), ...eventfulCalls]);
      await call(running, 'POST', '/user/delete', { uid: callers.person(3).uid });
      await running.shown();
      noted.push(await note(`pop/get --login_uid ${callers.person(0).uid}`));
      const end = await log.end();
      await vi.waitUntil(() => auditor.status().checkpoint >= end, { timeout: 20_000 });
      const records = await Array.fromAsync(log.readAll({ after: begin, prefixes: readModelCategories }));
      positions = records.map(({ position }) => position);
    }, 60_000);
    beforeEach(() => sayVersionOfReadModels(running, null));
    afterAll(() => auditor.stop());

    test('the same is answered from what concerns the people asked about', async () => {
      for (const each of noted.filter((_, index) => index % 2 === 0))
        expect(await answerThen(each), each.query).toBe(each.answer);
    }, 120_000);

    test('the same is answered if the moment is named by its time', async () => {
      await sayVersionOfReadModels(running, await readModelsVersion());
      for (const { time, query, answer } of noted.filter((_, index) => index % 2 === 1))
        expect(await answerAt(momentAt(time, Date.now()), query), query).toBe(answer);
    }, 120_000);

    test('the same is answered with the messages of the present read models, without reading what was sent', async () => {
      await sayVersionOfReadModels(running, await readModelsVersion());
      for (const each of noted)
        expect(await answerThen(each, withoutConversations()), each.query).toBe(each.answer);
    }, 120_000);

    test('after any event of a history both ways give the same answers', async () => {
      const version = await readModelsVersion();
      for (const [index, position] of positions.entries()) {
        if (index % 4 !== 0) continue;
        const queries = queriesOf(callers, callers.person(index / 4).uid, callers.person(index / 4 + 1).uid);
        // The home page, and each other query in turn.
        for (const query of new Set([queries[0], queries[1 + (index % (queries.length - 1))]])) {
          const asked = { position, query: query ?? '' };
          await sayVersionOfReadModels(running, null);
          const replayed = await answerThen(asked);
          await sayVersionOfReadModels(running, version);
          expect(await answerThen(asked, withoutConversations())).toBe(replayed);
        }
      }
    }, 120_000);
  });

  test.each([
    'message/sync --login_uid 1',
    'user/sessions --uid 1',
    'message/send --login_uid 1 --to 2 --type friend',
    'no/such',
  ])('no read models are made for %s, which the log does not answer', async (query) => {
    const applied = vi.fn();
    const parts = pastParts(running.application, { onApplied: applied });
    const moment = await momentAfterPosition(running, await running.application.log.end());
    await expect(answerQuery(parts, parseQuery(query.split(' ')), moment)).rejects.toThrow(
      'cannot be answered',
    );
    expect(applied).not.toHaveBeenCalled();
  });

  test('nothing is left of read models that were not kept', async () => {
    const { rows } = await running.application.pool.query(
      `select nspname as name from pg_namespace where nspname like 'as\\_of\\_%'
      union all select name from followers.checkpoint where name like 'as\\_of\\_%'`,
    );
    expect(rows).toEqual([]);
  });
});
