import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { answerQuery } from '../../../services/api/past/query.ts';
import { parseQuery } from '../../../services/audit/as-of/query.ts';
import { startAuditor } from '../../../services/audit/auditor.ts';
import type { Position } from '../../../services/log/log.ts';
import { silent } from '../../support/accounts.ts';
import { type RunningApplication, startApplication } from '../../support/application.ts';
import { pastParts } from '../../support/asking-the-past.ts';
import { three } from '../../support/client.ts';
import { momentAfterPosition } from '../../support/explaining.ts';
import { runScript } from '../../support/script.ts';

let running: RunningApplication;
let uids: readonly [number, number];
let first: Position;
let position: Position;
beforeAll(async () => {
  running = await startApplication();
  const { log } = running.application;
  const [tom] = await three(running);
  first = await log.end();
  const [jerry] = await three(running);
  uids = [tom.uid, jerry.uid];
  position = await log.end();
});
afterAll(() => running.stop());
beforeEach(() => {
  onTestFinished(async () => {
    for (const schema of await schemas())
      await running.application.pool.query(`drop schema ${schema} cascade`);
  });
});

async function schemas(): Promise<string[]> {
  const { rows } = await running.application.pool.query<{ schema: string }>(
    `select nspname as schema from pg_namespace where nspname like 'as\\_of\\_%'`,
  );
  return rows.map(({ schema }) => schema);
}

async function ask(
  query: string,
  { at = position, keep = true, signal = AbortSignal.timeout(60_000), onApplied = vi.fn() } = {},
) {
  const parts = pastParts(running.application, { keep, signal, onApplied });
  return answerQuery(parts, parseQuery(query.split(' ')), await momentAfterPosition(running, at));
}

const asOf = (...parameters: string[]) =>
  runScript('as-of', parameters, { DATABASE_URL: running.databaseUrl, LOG_LEVEL: 'error' });

test('of those who keep one moment at once, one makes its read models, and the others use them', async () => {
  const answers = await Promise.all(Array.from({ length: 4 }, () => ask(`pop/get --login_uid ${uids[0]}`)));
  expect(new Set(answers).size).toBe(1);
  expect(await schemas()).toHaveLength(1);
});

test('what another version of the read models kept answers nothing', async () => {
  await ask('setting/get');
  const [schema] = await schemas();
  const { pool } = running.application;
  await pool.query(
    `do $$ begin execute format('comment on schema ${schema} is %L',
       jsonb_set(obj_description('${schema}'::regnamespace, 'pg_namespace')::jsonb, '{version}', '"other"')::text); end $$`,
  );
  const onApplied = vi.fn();
  await ask('setting/get', { keep: false, onApplied });
  expect(onApplied).toHaveBeenCalled();
});

test('no more than 16 moments are kept, and the next is refused before anything is made', async () => {
  const { pool } = running.application;
  const names = Array.from({ length: 16 }, (_, index) => `as_of_${index.toString(16).padStart(16, '0')}`);
  for (const name of names) {
    await pool.query(
      `create schema ${name} create table t (); comment on schema ${name} is '{"moment":"x","epoch":"x"}'`,
    );
  }
  const onApplied = vi.fn();
  await expect(ask('setting/get', { onApplied })).rejects.toThrow('of 16 moments are kept already');
  expect(onApplied).not.toHaveBeenCalled();
  expect(await schemas()).toHaveLength(16);
});

test('what is kept is listed, and dropped by its name unless it is in use', async () => {
  for (const at of [first, position]) await ask('setting/get', { at });
  const listed = (await asOf('--kept')).stdout.split('\n').map((line) => line.split(/ {2}/).slice(1, 3));
  expect(listed.sort()).toEqual([
    [`after position ${first}`, 'of everybody'],
    [`after position ${position}`, 'of everybody'],
  ]);
  const [one = '', other = ''] = await schemas();
  const client = await running.application.pool.connect();
  onTestFinished(async () => client.release(true));
  await client.query('select pg_advisory_lock_shared(hashtextextended($1, 0))', [one]);
  const refused = await asOf('--forget', one);
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('a query is being answered from it'),
  });
  expect(await asOf('--forget')).toMatchObject({ code: 1, stdout: 'dropped the read models of 1 moment' });
  expect(await schemas()).toEqual([one]);
  await client.query('select pg_advisory_unlock_shared(hashtextextended($1, 0))', [one]);
  expect(await asOf('--forget', one)).toMatchObject({ code: 0, stderr: '' });
  expect((await asOf('--kept')).stdout).toBe('nothing is kept');
  expect((await asOf('--forget', other)).stderr).toContain('is not kept: --kept lists what is');
});

test.each([
  ['no JSON', 'no json'],
  ['JSON of another kind', '{"moment":7}'],
])(
  'a schema whose comment is %s answers nothing, is named, and is dropped by its name',
  async (_what, comment) => {
    const kept = await ask('setting/get');
    const [schema = ''] = await schemas();
    await running.application.pool.query(`comment on schema ${schema} is '${comment}'`);
    const onApplied = vi.fn();
    expect(await ask('setting/get', { keep: false, onApplied })).toBe(kept);
    expect(onApplied).toHaveBeenCalled();
    expect(await schemas()).toEqual([schema]);
    expect(await asOf('--kept')).toEqual({
      ...{ code: 0, stdout: 'nothing is kept' },
      stderr: expect.stringContaining(`as-of: ${schema} answers nothing`),
    });
    expect(await asOf('--forget', schema)).toMatchObject({ code: 0, stderr: '' });
    expect(await schemas()).toEqual([]);
  },
);

test('what is kept of lists is listed by what it shows', async () => {
  for (const query of ['user/list', 'group/list', 'group/memberlist --gid 502139874']) await ask(query);
  // What is kept of every group answers what is asked of one.
  const listed = (await asOf('--kept')).stdout.split('\n').map((line) => line.split(/ {2}/)[2]);
  expect(listed.sort()).toEqual(['of the list of people', 'of the lists of people and groups']);
});

test('a query that takes too long is ended in the middle of a statement, and leaves nothing', async () => {
  const { pool } = running.application;
  const locking = await pool.connect();
  onTestFinished(async () => locking.release(true));
  await locking.query('begin; lock table read.users in access exclusive mode');
  const ending = new AbortController();
  const asked = ask('setting/get', { keep: false, signal: ending.signal });
  const outcome = expect(asked).rejects.toThrow('too long');
  await expect
    .poll(async () => (await pool.query('select from pg_locks where not granted')).rowCount)
    .toBeGreaterThan(0);
  ending.abort(new Error('too long'));
  await outcome;
  await locking.query('rollback');
  expect(await schemas()).toEqual([]);
});

test('what was kept of some people answers further queries about them, also of whom the profile alone was asked for', async () => {
  const { log } = running.application;
  const auditor = await startAuditor({ log, database: running.databaseUrl, logger: silent });
  onTestFinished(() => auditor.stop());
  await vi.waitUntil(() => auditor.status().checkpoint >= position, { timeout: 20_000 });
  const query = `user/get --login_uid ${uids[0]} --uid ${uids[1]}`;
  await ask(query);
  const onApplied = vi.fn();
  await ask(query, { onApplied });
  await ask(`pop/get --login_uid ${uids[0]}`, { keep: false, onApplied });
  expect(onApplied).not.toHaveBeenCalled();
  expect(await schemas()).toHaveLength(1);
  await ask(`pop/get --login_uid ${uids[1]}`, { keep: false, onApplied });
  expect(onApplied).toHaveBeenCalled();
});
