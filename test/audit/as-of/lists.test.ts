import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { answerQuery, type PastQueryParts } from '../../../services/api/past/query.ts';
import { parseQuery } from '../../../services/audit/as-of/query.ts';
import { startAuditor } from '../../../services/audit/auditor.ts';
import type { Position } from '../../../services/log/log.ts';
import { silent } from '../../support/accounts.ts';
import { type RunningApplication, serverKey } from '../../support/application.ts';
import { startApplicationOnStore } from '../../support/application-on-store.ts';
import { pastParts } from '../../support/asking-the-past.ts';
import { call, createGroup, type Person, person } from '../../support/client.ts';
import { momentAfterPosition } from '../../support/explaining.ts';

/*
 * The lists for administration, and people found by their names, as they were at each step of a history in which what
 * they show changes in every way.
 */

interface Noted {
  readonly query: string;
  readonly position: Position;
  readonly answer: string;
}

interface Lived {
  readonly running: RunningApplication;
  readonly noted: readonly Noted[];
  readonly owner: Person;
  readonly gid: number;
}

describe.each([
  ['Postgres', false],
  ['EventStoreDB (a double)', true],
])('of a log in %s', (_, isEventStore) => {
  let lived: Lived;
  beforeAll(async () => {
    lived = await live(isEventStore);
  }, 60_000);
  afterAll(() => lived.running.stop());

  test('all are answered as the API answered them, without an index of the log', async () => {
    const onNoIndex = vi.fn();
    for (const each of everyThird(lived.noted, 0))
      expect(await answerThen(lived, each, { onNoIndex })).toEqual(each);
    // People are found by their names in the whole log.
    expect(new Set(onNoIndex.mock.calls.flat())).toEqual(new Set(['all groups', 'all events']));
  }, 120_000);

  test('lists are answered from the log alone', async () => {
    for (const each of everyThird(lived.noted, 1).filter(({ query }) => query.includes('list')))
      expect(await answerThen(lived, each, { fromLog: true })).toEqual(each);
  }, 120_000);

  test('all are answered with an index, which finds the groups of an owner and people', async () => {
    const { running, noted } = lived;
    await index(running);
    const onNoIndex = vi.fn();
    for (const each of [...everyThird(noted, 1), ...everyThird(noted, 2)])
      expect(await answerThen(lived, each, { onNoIndex })).toEqual(each);
    expect(onNoIndex).not.toHaveBeenCalled();
  }, 120_000);

  test('groups that became somebody’s behind the end of the index are found in the log', async () => {
    const { running, owner } = lived;
    await index(running);
    await createGroup(owner);
    const listed = await note(running, `group/list --uid ${owner.uid}`);
    expect(await answerThen(lived, listed)).toEqual(listed);
  });

  test('what was kept of every group answers all lists, and profiles', async () => {
    const { running, gid, owner } = lived;
    const queries = [
      'group/list --groupname 群',
      `group/memberlist --gid ${gid}`,
      `group/list --uid ${owner.uid}`,
      'user/list --limit 2',
      `user/multiGet --uid ${owner.uid}`,
    ];
    const noted = await Promise.all(queries.map((query) => note(running, query)));
    const [first, ...others] = noted;
    if (!first) throw new Error('nothing was noted');
    await index(running);
    expect(await answerThen(lived, first, { keep: true })).toEqual(first);
    const onApplied = vi.fn();
    for (const other of others)
      expect(await answerThen(lived, { ...other, position: first.position }, { onApplied })).toMatchObject({
        answer: other.answer,
      });
    expect(onApplied).not.toHaveBeenCalled();
  });

  test('of a list that is refused nothing is read, and of one nothing but what it shows is written', async () => {
    const { running } = lived;
    const onApplied = vi.fn();
    const refused = await note(running, 'group/list --gid 0');
    expect(await answerThen(lived, refused, { onApplied })).toEqual(refused);
    expect(onApplied).not.toHaveBeenCalled();
    const listed = await note(running, 'group/list --groupname none');
    await answerThen(lived, listed, { keep: true });
    const { pool } = running.application;
    const { rows } = await pool.query<{ schema: string }>(
      `select nspname as schema from pg_namespace where nspname like 'as\\_of\\_%'
        order by obj_description(oid, 'pg_namespace')::jsonb ->> 'made' desc limit 1`,
    );
    const schema = rows[0]?.schema;
    const { rows: counts } = await pool.query(
      `select (select count(*)::int from ${schema}.messages) as messages,
              (select count(*)::int from ${schema}.inbox) as chats,
              (select count(*)::int from ${schema}.groups) as groups`,
    );
    expect(counts).toEqual([{ messages: 0, chats: 0, groups: expect.any(Number) }]);
    expect(counts[0].groups).toBeGreaterThan(0);
  });
});

/** The queries are no multiple of three, so that each of them is among these at some step. */
const everyThird = (noted: readonly Noted[], from: number) => noted.filter((_, index) => index % 3 === from);

/** Lives a history, and notes the answers after each step of it. */
async function live(isEventStore: boolean): Promise<Lived> {
  const running = await startApplicationOnStore(isEventStore);
  const [tom, jerry, spike] = [
    await person(running, '甲'),
    await person(running, '乙'),
    await person(running, '丙'),
  ];
  const server = (path: string, parameters: Record<string, unknown>) =>
    call(running, 'POST', path, parameters);
  const { rows } = await running.application.pool.query<{ username: string; nid: number }>(
    'select username, number_id::int as nid from read.users where uid = $1',
    [spike.uid],
  );
  const [{ username, nid } = { username: '', nid: 0 }] = rows;
  const gid = await createGroup(tom, jerry);
  const other = await createGroup(jerry, tom, spike);
  const queries = [
    'user/list',
    'user/list --limit 1',
    'user/list --nickname 甲',
    `user/list --username ${username.slice(0, -1)}`,
    `user/list --nid ${nid}`,
    'user/list --phone 138',
    'group/list',
    `group/list --from ${gid}. --limit 1`,
    'group/list --groupname 群',
    `group/list --gid ${gid}`,
    `group/list --gid ${gid} --uid ${tom.uid}`,
    `group/list --uid ${tom.uid}`,
    `group/list --uid ${jerry.uid}`,
    `group/memberlist --gid ${gid}`,
    `group/memberlist --gid ${gid} --index 2 --limit 1`,
    'group/memberlist --gid 7',
    `user/get --username ${username}`,
    `user/getbyname --username ${username}`,
    `user/get --nid ${nid}`,
    `user/multiGet --uid[1]=${jerry.uid} --uid[0]=${spike.uid}`,
  ];
  const noted: Noted[] = [];
  for (const step of [
    async () => {
      await spike.post('/group/join', { gid });
      await tom.post('/group/manager', { gid, uid: jerry.uid, value: 1 });
      await tom.post('/group/forbiddenuser', { gid, uid: spike.uid, time: 3_600 });
      await tom.post('/message/send', { to: gid, type: 'group', content: 'hi' });
    },
    async () => {
      await tom.post('/user/update', { nickname: '甲方', sign: '忙' });
      await jerry.post('/group/update', { gid, groupname: '群一' });
      await tom.post('/group/forbiddenall', { gid, value: 1 });
    },
    async () => {
      await tom.post('/group/transfer', { gid, uid: jerry.uid });
      await tom.post('/group/leave', { gid });
      await jerry.post('/group/delete', { gid: other });
    },
    async () => {
      await server('/user/delete', { uid: spike.uid });
      await running.shown();
      await server('/user/add', { username, nickname: '丁', password: 'secret-1', phone: '13800000001' });
      await tom.post('/group/join', { gid });
      await createGroup(tom, jerry);
    },
    async () => void (await server('/setting/update', { escape_html: 'on' })),
  ]) {
    await running.shown();
    noted.push(...(await Promise.all(queries.map((query) => note(running, query)))));
    await step();
  }
  // What follows may not show in what was before.
  await jerry.post('/user/update', { nickname: '<乙>' });
  await jerry.post('/group/update', { gid, groupname: '群<二>' });
  noted.push(...(await Promise.all(queries.map((query) => note(running, query)))));
  await tom.post('/group/leave', { gid });
  await running.shown();
  return { running, noted, owner: jerry, gid };
}

async function note(running: RunningApplication, query: string): Promise<Noted> {
  await running.shown();
  const position = await running.application.log.end();
  const parsed = parseQuery(query.split(' '));
  if (parsed.kind !== 'call') throw new Error(`${query} is no call`);
  const url = `/api${parsed.path}?${parsed.search}`;
  const { payload } = await running.server.inject({ url, headers: serverKey });
  return { position, query, answer: payload };
}

async function answerThen(
  { running }: Lived,
  { position, query }: Noted,
  given: Partial<PastQueryParts> = {},
): Promise<Noted> {
  const parts = pastParts(running.application, given);
  const moment = await momentAfterPosition(running, position);
  return { position, query, answer: await answerQuery(parts, parseQuery(query.split(' ')), moment) };
}

/** Makes the index of the log, up to its present end. */
async function index(running: RunningApplication): Promise<void> {
  const { log } = running.application;
  const auditor = await startAuditor({ log, database: running.databaseUrl, logger: silent });
  onTestFinished(() => auditor.stop());
  const end = await log.end();
  await vi.waitUntil(() => auditor.status().checkpoint >= end, { timeout: 20_000 });
  await auditor.stop();
}
