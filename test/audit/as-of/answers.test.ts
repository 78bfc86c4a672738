import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { answerQuery } from '../../../services/api/past-query.ts';
import { parseQuery } from '../../../services/audit/as-of/query.ts';
import { type Auditor, startAuditor } from '../../../services/audit/auditor.ts';
import type { Position } from '../../../services/log/log.ts';
import { silent } from '../../support/accounts.ts';
import { type RunningApplication, serverKey, startApplication, testApp } from '../../support/application.ts';
import { momentAfterPosition } from '../../support/explaining.ts';
import { Callers, randomCalls } from '../../support/random-calls.ts';

/*
 * What the API answered during a random history is asked for afterwards, and is the same byte for byte: from read
 * models that were made of what concerns the people asked about, and from those of the whole log.
 */

let running: RunningApplication;

beforeAll(async () => {
  running = await startApplication();
});

afterAll(() => running.stop());

interface Noted {
  readonly position: Position;
  readonly query: string;
  readonly answer: string;
}

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
    `setting/get`,
  ];
}

async function note(query: string): Promise<Noted> {
  const position = await running.application.log.end();
  const parsed = parseQuery(query.split(' '));
  if (parsed.kind !== 'call') throw new Error(`${query} is no call`);
  const { payload } = await running.server.inject({
    method: parsed.path === '/group/ismanager' ? 'POST' : 'GET',
    url: `/api${parsed.path}?${parsed.parameters}`,
    headers: serverKey,
  });
  await running.shown();
  return { position, query, answer: payload };
}

async function answerThen({ position, query }: Noted): Promise<Noted> {
  const { log, pool } = running.application;
  const parts = {
    ...{ app: testApp, log, pool, logger: silent, host: 'localhost:80', protocol: 'http', keep: false },
    signal: AbortSignal.timeout(60_000),
    onNoIndex: () => undefined,
  };
  const moment = await momentAfterPosition(running, position);
  return { position, query, answer: await answerQuery(parts, parseQuery(query.split(' ')), moment) };
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

test('every answer of a random history is given again, byte for byte, from the whole log', async () => {
  await fc.assert(
    fc.asyncProperty(randomCalls, async (calls) => {
      const noted = await live(await Callers.meet(running), calls.slice(0, 12));
      for (const each of noted.filter((_, index) => index % 3 === 0))
        expect(await answerThen(each)).toEqual(each);
    }),
    { numRuns: 2, endOnFailure: true },
  );
});

test('and from what concerns the people asked about, found in the index', async () => {
  const { log } = running.application;
  const auditor: Auditor = await startAuditor({ log, database: running.databaseUrl, logger: silent });
  try {
    await fc.assert(
      fc.asyncProperty(randomCalls, async (calls) => {
        const noted = await live(await Callers.meet(running), calls.slice(0, 20));
        const end = await log.end();
        await vi.waitUntil(() => auditor.status().checkpoint >= end, { timeout: 20_000 });
        for (const each of noted) expect(await answerThen(each)).toEqual(each);
      }),
      { numRuns: 1, endOnFailure: true },
    );
  } finally {
    await auditor.stop();
  }
}, 120_000);

test.each(['message/sync --login_uid 1', 'message/send --login_uid 1 --to 2 --type friend', 'no/such'])(
  'no read models are made for %s, which the log does not answer',
  async (query) => {
    const { log, pool } = running.application;
    const applied = vi.fn();
    const parts = {
      ...{ app: testApp, log, pool, logger: silent, host: 'localhost:80', protocol: 'http', keep: false },
      ...{ signal: AbortSignal.timeout(60_000), onNoIndex: () => undefined, onApplied: applied },
    };
    const moment = await momentAfterPosition(running, await log.end());
    await expect(answerQuery(parts, parseQuery(query.split(' ')), moment)).rejects.toThrow(
      'cannot be answered',
    );
    expect(applied).not.toHaveBeenCalled();
  },
);

test('nothing is left of read models that were not kept', async () => {
  const { rows } = await running.application.pool.query(
    `select nspname as name from pg_namespace where nspname like 'as\\_of\\_%'
      union all select name from followers.checkpoint where name like 'as\\_of\\_%'`,
  );
  expect(rows).toEqual([]);
});
