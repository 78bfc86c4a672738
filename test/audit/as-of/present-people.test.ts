import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { Uid } from '../../../contracts/ids.ts';
import { readModelsVersion } from '../../../projections/rebuild/version.ts';
import { answerQuery } from '../../../services/api/past/query.ts';
import { parseQuery } from '../../../services/audit/as-of/query.ts';
import { type Auditor, startAuditor } from '../../../services/audit/auditor.ts';
import { userStream } from '../../../services/domain/user.ts';
import type { EventLog, Position, StreamName } from '../../../services/log/log.ts';
import { silent } from '../../support/accounts.ts';
import { type RunningApplication, startApplication } from '../../support/application.ts';
import { pastParts } from '../../support/asking-the-past.ts';
import { createGroup, type Person, person, three } from '../../support/client.ts';
import { momentAfterPosition } from '../../support/explaining.ts';
import { sayVersionOfReadModels } from '../../support/read-models-version.ts';
import { wrapLog } from '../../support/wrapped-log.ts';

let running: RunningApplication;
let tom: Person;
let jerry: Person;
let spike: Person;
let gid: number;
let auditor: Auditor;

beforeAll(async () => {
  running = await startApplication();
  const { log } = running.application;
  auditor = await startAuditor({ log, database: running.databaseUrl, logger: silent });
  [tom, jerry, spike] = await three(running);
  gid = await createGroup(tom, jerry, spike);
});
afterAll(async () => {
  await auditor.stop();
  await running.stop();
});
beforeEach(async () => sayVersionOfReadModels(running, await readModelsVersion()));

/** The end of the log, once read models and index show it. */
async function end(): Promise<Position> {
  await running.shown();
  const position = await running.application.log.end();
  await vi.waitUntil(() => auditor.status().checkpoint >= position, { timeout: 20_000 });
  return position;
}

/** The members of the group at a moment, and whose streams were read for it. */
async function membersAt(position: Position, words = ['group/members', '--gid', String(gid)]) {
  const { log } = running.application;
  const read = new Set<StreamName>();
  const observed: EventLog = wrapLog(log, {
    readStreams: (streams, options) => {
      for (const stream of streams) read.add(stream);
      return log.readStreams(streams, options);
    },
  });
  const parts = pastParts(running.application, { log: observed });
  const query = parseQuery([...words, '--login_uid', String(tom.uid)]);
  const answer = await answerQuery(parts, query, await momentAfterPosition(running, position));
  return { answer, reads: ({ uid }: Person) => read.has(userStream(Uid.parse(uid)).name) };
}

test('the row of somebody who never changed is taken from the present read models', async () => {
  await jerry.post('/user/update', { nickname: 'jerry the mouse' });
  const position = await end();
  await jerry.post('/user/update', { nickname: 'gerald' });
  await end();
  const { answer, reads } = await membersAt(position);
  expect(answer).toContain('"jerry the mouse"');
  expect(answer).toContain('"spike"');
  expect([jerry, spike].map(reads)).toEqual([true, false]);
});

test('so is the row of somebody who has not changed since, unless a group is named after what they were called before', async () => {
  const butch = await person(running, 'butch');
  await tom.post('/group/memberadd', { gid, members: [butch.uid] });
  for (const { uid, post } of [spike, butch]) await post('/user/update', { nickname: `the cat ${uid}` });
  const position = await end();
  await tom.post('/user/update', { sign: '后来' });
  await end();
  const { answer, reads } = await membersAt(position);
  for (const { uid } of [spike, butch]) expect(answer).toContain(`"the cat ${uid}"`);
  expect([spike, butch].map(reads)).toEqual([true, false]);
  expect((await membersAt(position, ['pop/get'])).answer).toContain('"群聊(tom,jerry,spike)"');
  await spike.post('/user/update', { nickname: 'spike' });
});

test('nothing is taken from the present read models while an event has the id of another, which the index lacks', async () => {
  const position = await end();
  await jerry.post('/user/update', { nickname: 'jerome' });
  await end();
  const { pool } = running.application;
  const text = `insert into audit.repeats (position, stream, revision, first, id, type, recorded)
    select position, $1, 1, 0, id, 'ProfileChanged', recorded from audit.events order by number desc limit 1`;
  await pool.query(text, [userStream(Uid.parse(spike.uid)).name]);
  onTestFinished(async () => void (await pool.query('truncate audit.repeats')));
  const { reads } = await membersAt(position);
  expect(reads(spike)).toBe(true);
});

test('a change that the index does not have yet is not taken for what was so before', async () => {
  const position = await end();
  await auditor.stop();
  await spike.post('/user/update', { nickname: 'the dog' });
  await running.shown();
  const { answer, reads } = await membersAt(position);
  expect(answer).toContain('"spike"');
  expect(reads(spike)).toBe(true);
});

test('somebody who registered behind what the present read models show is found by their name', async () => {
  const behind = await startApplication();
  onTestFinished(() => behind.stop());
  const { log, pool } = behind.application;
  await person(behind, 'quacker');
  await behind.shown();
  const shown = await log.end();
  await person(behind, 'butch');
  await behind.shown();
  const position = await log.end();
  const { rows } = await pool.query<{ username: string; nid: string }>(
    `select username, number_id as nid from read.users where nickname = 'butch'`,
  );
  const [{ username, nid } = { username: '', nid: '' }] = rows;
  const { databaseUrl } = behind;
  const indexing = await startAuditor({ log, database: databaseUrl, logger: silent });
  onTestFinished(() => indexing.stop());
  await vi.waitUntil(() => indexing.status().checkpoint >= position, { timeout: 20_000 });
  await behind.projector.stop();
  await pool.query(`delete from read.users where nickname = 'butch'`);
  await pool.query(`update followers.checkpoint set position = $1 where name = 'read'`, [shown]);
  const parts = pastParts(behind.application);
  for (const query of [`user/get --username ${username.toUpperCase()}`, `user/list --nid ${nid}`]) {
    const asked = parseQuery(query.split(' '));
    expect(await answerQuery(parts, asked, await momentAfterPosition(behind, position))).toContain('"butch"');
    expect(await answerQuery(parts, asked, await momentAfterPosition(behind, shown))).not.toContain('butch');
  }
});
