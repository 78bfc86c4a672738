import { existsSync } from 'node:fs';
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { history } from '../../scripts/seed/history.ts';
import { seedInstallation } from '../../scripts/seed/seed-installation.ts';
import { accountsDatabase } from '../../services/accounts/accounts-tables.ts';
import { placesIn, readManifest } from '../../services/backup/manifest.ts';
import { appendInOrder } from '../../services/log/append-in-order.ts';
import { newIdentityName } from '../../services/log/identity.ts';
import { openPostgresLog } from '../../services/log/postgres/postgres-log.ts';
import { createPool } from '../../services/postgres/pool.ts';
import { silent } from '../support/accounts.ts';
import { afterAllTests } from '../support/at-end.ts';
import { createDatabase, createEmptyDatabase } from '../support/database.ts';
import { temporaryFolder } from '../support/folder.ts';
import { query } from '../support/installation.ts';
import { startProgram } from '../support/process.ts';
import { runScript } from '../support/script.ts';

/** More than one file of the log holds. */
const events = 70_000;
const patiently = { timeout: 60_000, interval: 10 };

async function emptyDatabase(): Promise<string> {
  const { url, drop } = await createEmptyDatabase();
  onTestFinished(drop);
  return url;
}

async function eventsIn(url: string): Promise<number> {
  const { rows } = await query(url, 'select count(*)::int as count from log.events').catch(() => ({
    rows: [],
  }));
  return rows[0]?.count ?? 0;
}

describe('a backup and a restore of 70,000 events', { timeout: 240_000 }, () => {
  const atEnd = afterAllTests();
  let source: string;
  let dataFolder: string;
  let backup: string;

  beforeAll(async () => {
    const database = await createDatabase();
    atEnd(() => database.drop());
    source = database.url;
    [dataFolder, backup] = [await temporaryFolder(atEnd), await temporaryFolder(atEnd)];
    await writeFile(join(dataFolder, 'app-secret'), `APP_KEY=abc\nAPP_SECRET=${'x'.repeat(32)}\n`);
    const pool = createPool(source, silent);
    const log = await openPostgresLog({ connectionString: source });
    const parts = { log, accounts: accountsDatabase(pool) };
    await seedInstallation(parts, { events, seed: 'backup' }, () => undefined);
    await log.close();
    await pool.end();
  }, 120_000);

  const sourceEnvironment = () => ({ DATABASE_URL: source, DATA_DIR: dataFolder });

  test('continue where a kill -9 ended them, and reach the same root', async () => {
    const killed = startProgram('scripts/backup.ts', ['--to', backup], sourceEnvironment());
    await vi.waitUntil(() => existsSync(placesIn(backup).progress), patiently);
    killed.signal('SIGKILL');
    expect(await killed.ended).toBe('SIGKILL');
    expect(existsSync(placesIn(backup).manifest)).toBe(false);
    const unfinished = await runScript('backup', ['--to', backup, '--verify'], {});
    expect(unfinished).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no backup in') });
    const done = await runScript('backup', ['--to', backup], sourceEnvironment());
    // With the record of each of the two uses of the command.
    const added = [1, 2].map((uses) => `${events - 65_536 + uses} events and 0 uploads were copied now`);
    expect(added).toContain(/^.* were copied now/.exec(done.stdout)?.[0]);
    expect(done.code).toBe(0);
    const root = /the root (\S+),/.exec(done.stdout)?.[1];

    const [target, targetFolder] = [await emptyDatabase(), await temporaryFolder()];
    const environment = { DATABASE_URL: target, DATA_DIR: targetFolder };
    const restoring = startProgram('scripts/restore.ts', ['--from', backup], environment);
    await vi.waitUntil(async () => (await eventsIn(target)) > 1_000, patiently);
    restoring.signal('SIGKILL');
    await restoring.ended;
    expect(await eventsIn(target)).toBeLessThan(events);

    const started = startProgram('services/standalone.ts', [], { ...environment, PORT: '0' });
    expect(await started.ended).toBe(1);
    expect(started.stderr()).toContain('a restore of a backup into it is under way or was interrupted');
    const again = await runScript('restore', ['--from', backup], environment);
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('were there from a run before') });
    expect(again.stdout).toContain(root);
    expect(await eventsIn(target)).toBe(Number(/Verified: (\d+) events/.exec(done.stdout)?.[1]));
    const accounts = 'select * from accounts.accounts order by uid';
    expect((await query(target, accounts)).rows).toEqual((await query(source, accounts)).rows);
    expect((await query(target, "select to_regclass('restore.state') as mark")).rows).toEqual([
      { mark: null },
    ]);
    expect(await readFile(join(targetFolder, 'app-secret'), 'utf8')).toContain('APP_KEY=abc');
  });

  test('stop at a damaged file, which they name, before anything is written', async () => {
    const folder = await temporaryFolder();
    await cp(backup, folder, { recursive: true });
    const manifest = await readManifest(folder);
    const damaged = [
      join(folder, 'log', 'events-000000065536.ndjson'),
      join(folder, manifest?.tablesFolder ?? '', 'accounts.accounts.ndjson'),
      join(folder, 'keys', 'app-secret'),
    ];
    const target = await emptyDatabase();
    const targetFolder = await temporaryFolder();
    const restore = () =>
      runScript('restore', ['--from', folder], { DATABASE_URL: target, DATA_DIR: targetFolder });
    for (const file of damaged) {
      const bytes = await readFile(file);
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(100 % bytes.length) ^ 1, 100 % bytes.length);
      await writeFile(file, changed);
      const stderr = expect.stringContaining(`${file} is damaged`);
      expect(await restore()).toMatchObject({ code: 1, stderr });
      expect(await runScript('backup', ['--to', folder, '--verify'], {})).toMatchObject({ code: 1, stderr });
      await rm(file);
      expect((await restore()).stderr).toContain(`${file} is missing`);
      await writeFile(file, bytes);
    }
    expect((await query(target, "select to_regclass('accounts.accounts') as made")).rows).toEqual([
      { made: null },
    ]);
    expect(await readdir(targetFolder)).toEqual([]);
  });

  test('write a log file again that was damaged and removed', async () => {
    const folder = await temporaryFolder();
    await cp(backup, folder, { recursive: true });
    await rm(join(folder, 'log', 'events-000000065536.ndjson'));
    const again = await runScript('backup', ['--to', folder], sourceEnvironment());
    expect(again.code).toBe(0);
    expect(Number(/^\d+/.exec(again.stdout)?.[0])).toBeGreaterThan(events - 65_536);
  });

  test('leave a backup whole while the next one into the folder is not finished', async () => {
    const folder = await temporaryFolder();
    await cp(backup, folder, { recursive: true });
    const file = join(folder, 'log', 'events-000000065536.ndjson');
    const before = await readFile(file, 'utf8');
    await writeFile(file, 'half a line', { flag: 'a' });
    expect(await runScript('backup', ['--to', folder, '--verify'], {})).toMatchObject({ code: 0 });
    expect(await runScript('backup', ['--to', folder], sourceEnvironment())).toMatchObject({ code: 0 });
    const after = await readFile(file, 'utf8');
    expect(after.startsWith(before)).toBe(true);
    // What came meanwhile are the records of backups.
    const added = after.slice(before.length).trim().split('\n');
    expect(added.map((line) => JSON.parse(line).data.command)).toEqual(added.map(() => 'backup'));
  });

  test('refuse a target in which something is, another installation, and a log that lacks what was copied', async () => {
    const intoItself = await runScript('restore', ['--from', backup], {
      ...sourceEnvironment(),
      DATA_DIR: await temporaryFolder(),
    });
    expect(intoItself.stderr).toContain('the target is not empty: the table accounts.accounts has rows');
    const { installation = '' } = (await readManifest(backup))?.log ?? {};
    for (const [name, reason] of [
      [newIdentityName(), 'holds a backup of the installation'],
      [installation, 'holds events that the log does not have'],
    ] as const) {
      const database = await createDatabase();
      onTestFinished(() => database.drop());
      const log = await openPostgresLog({ connectionString: database.url });
      await appendInOrder(log, history({ events: 100, seed: 'other' }), () => undefined);
      await log.found({ installation: name, epoch: newIdentityName() });
      await log.close();
      const other = { DATABASE_URL: database.url, DATA_DIR: await temporaryFolder() };
      const folder = await temporaryFolder();
      await cp(backup, folder, { recursive: true });
      const refused = await runScript('backup', ['--to', folder], other);
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining(reason) });
      expect(await runScript('backup', ['--to', folder, '--verify'], {})).toMatchObject({ code: 0 });
    }
  });
});
