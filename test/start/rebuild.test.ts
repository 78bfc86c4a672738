import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { readModelsVersion } from '../../projections/rebuild/version.ts';
import { createEmptyDatabase } from '../support/database.ts';
import { between, registered, sent } from '../support/events.ts';
import { temporaryFolder } from '../support/folder.ts';
import { startProgram } from '../support/process.ts';
import { openWorld } from '../support/projecting.ts';
import { startStandalone } from '../support/standalone.ts';

const run = promisify(execFile);

const rebuild = (url: string, ...parameters: string[]) =>
  run(process.execPath, ['scripts/rebuild.ts', ...parameters], {
    env: { PATH: process.env.PATH, DATABASE_URL: url },
  });

test('a rebuild that was killed continues where it stopped', async () => {
  const world = await openWorld();
  onTestFinished(() => world.close());
  await world.given(registered(1, '甲'), registered(2, '乙'));
  for (let index = 1; index <= 400; index++) await world.given(sent(between(1, 2), 1, index, `${index}`));
  await world.project();
  const before = await world.everything();
  await world.query(`update read.messages set content = 'damaged' where mid in (3, 399)`);

  const first = startProgram('scripts/rebuild.ts', ['--batch', '1'], { DATABASE_URL: world.url });
  const reached = async () => {
    const [row] = await world.query<{ position: string }>(
      `select position from followers.checkpoint where name = 'read-next' and version is not null`,
    );
    return row?.position ?? '';
  };
  await expect.poll(reached, { interval: 5, timeout: 60_000 }).not.toBe('');
  first.signal('SIGKILL');
  expect(await first.ended).toBe('SIGKILL');
  const stopped = await reached();
  expect(stopped).not.toBe('');

  const { stdout, stderr } = await rebuild(world.url);
  const from = /goes on after (\d+)/.exec(stderr)?.[1];
  expect(from).toBe(stopped);
  expect(stdout).toContain('messages conversation=f1-2 sequence=3: content was "damaged", is "3"\n');
  expect(stdout).toContain('messages conversation=f1-2 sequence=399: content was "damaged", is "399"\n');
  expect(stdout).toContain('messages: 2 rows differed\n');
  expect(stdout).toContain(
    `rows of the events up to ${stopped} are those that the interrupted rebuild left: `,
  );
  expect(await world.everything()).toEqual(before);

  const again = await rebuild(world.url, '--batch', '7');
  expect(again.stderr).not.toContain('goes on');
  expect(again.stdout).not.toContain('interrupted');
  expect(again.stdout).toMatch(/^no row differed\nmade 405 rows in /);
  const hash = /hash \w+/.exec(stdout)?.[0];
  expect(again.stdout).toContain(hash);
}, 120_000);

test('a rebuild says how far it goes if no program has shown all of the log', async () => {
  const world = await openWorld();
  onTestFinished(() => world.close());
  await world.given(registered(1, '甲'), registered(2, '乙'));
  const none = await rebuild(world.url);
  expect(none.stdout).toContain('made 0 rows');
  expect(none.stderr).toContain('the read models show nothing of the log yet, and it ends at ');
  await world.project();
  expect((await rebuild(world.url)).stderr).not.toContain('the read models show');
}, 60_000);

test('a wrong argument is answered by what would be right', async () => {
  await expect(rebuild('postgresql://nobody@127.0.0.1:1/none', '--batch', '0')).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('"0" is no number from 1 to 10000'),
  });
  const { stdout } = await rebuild('postgresql://nobody@127.0.0.1:1/none', '--help');
  expect(stdout).toContain('npm run rebuild -- --batch 50');
}, 60_000);

test('a program whose projections have changed makes the read models again, and serves the former ones until then', async () => {
  const database = await createEmptyDatabase();
  onTestFinished(() => database.drop());
  const folder = await temporaryFolder();
  const client = new Client({ connectionString: database.url });
  await client.connect();
  onTestFinished(() => client.end());
  const version = async () =>
    (await client.query(`select version, earlier_versions from followers.checkpoint where name = 'read'`))
      .rows[0];
  const nicknames = async () => (await client.query('select nickname from read.users')).rows;

  const first = await startStandalone(folder, { DATABASE_URL: database.url });
  const own = await readModelsVersion();
  expect(await version()).toEqual({ version: own, earlier_versions: [] });
  await first.call('/api/user/add', 'server', {
    username: 'tom',
    password: 'a-good-password',
    nickname: '甲',
  });
  expect(await nicknames()).toEqual([{ nickname: '甲' }]);
  first.program.signal('SIGTERM');
  expect(await first.program.ended).toBe(0);

  // As another version of the program made them.
  await client.query(`update followers.checkpoint set version = 'another' where name = 'read'`);
  await client.query(`update read.users set nickname = 'former'`);
  // Holds the switch up, and no query.
  await client.query('begin; lock table read.users in access share mode');
  const second = await startStandalone(folder, { DATABASE_URL: database.url, LOG_LEVEL: 'info' });
  await expect
    .poll(() => second.program.stderr(), { timeout: 60_000 })
    .toContain('made again beside those that are served');
  const shown = async () => {
    const { code, data } = await second.call('/api/user/get', 'server', { uid: 1 });
    return { code, data };
  };
  expect(await shown()).toMatchObject({ code: 0, data: { nickname: 'former' } });
  await client.query('commit');
  await expect.poll(shown, { timeout: 60_000 }).toMatchObject({ code: 0, data: { nickname: '甲' } });
  await expect
    .poll(() => second.program.stderr(), { timeout: 60_000 })
    .toContain('"differentRows":{"users":1}');
  expect(await version()).toEqual({ version: own, earlier_versions: ['another'] });
  second.program.signal('SIGTERM');
  expect(await second.program.ended).toBe(0);

  // A program of the earlier version that starts beside this one, in a rolling update.
  await client.query(
    `update followers.checkpoint set version = 'a later one', earlier_versions = array[$1] where name = 'read'`,
    [own],
  );
  const third = await startStandalone(folder, { DATABASE_URL: database.url });
  await expect.poll(() => third.program.stderr()).toContain('made by a later version');
  expect(await version()).toMatchObject({ version: 'a later one' });
  third.program.signal('SIGTERM');
  expect(await third.program.ended).toBe(0);
}, 180_000);
