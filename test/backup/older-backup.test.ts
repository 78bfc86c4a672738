import { expect, onTestFinished, test } from 'vitest';
import { migrate } from '../../projections/migrate.ts';
import { readMigrations } from '../../projections/migrations.ts';
import { seedInstallation } from '../../scripts/seed/seed-installation.ts';
import { accountsDatabase } from '../../services/accounts/accounts-tables.ts';
import { makeBackup } from '../../services/backup/make-backup.ts';
import { openLocalFolder } from '../../services/files/local-folder.ts';
import { openPostgresLog } from '../../services/log/postgres/postgres-log.ts';
import { createPool } from '../../services/postgres/pool.ts';
import { silent } from '../support/accounts.ts';
import { temporaryFolder } from '../support/folder.ts';
import { query } from '../support/installation.ts';
import { emptyDatabase, partsOf, restored } from './backup-harness.ts';

/** The version that made the first backups had the tables up to here: it knew no audit. */
const lastOfThen = '0020-rebuild';

test('a backup of a version with older tables is restored, and its tables brought up to date', async () => {
  const migrations = await readMigrations();
  const all = migrations.map(({ recordedAs }) => recordedAs);
  const older = all.slice(0, all.indexOf(lastOfThen) + 1);
  expect(older.length).toBeLessThan(all.length);
  const url = await emptyDatabase();
  await migrate(url, { wanted: older });
  const pool = createPool(url, silent);
  const log = await openPostgresLog({ connectionString: url });
  onTestFinished(async () => {
    await log.close();
    await pool.end();
  });
  await seedInstallation(
    { log, accounts: accountsDatabase(pool) },
    { events: 300, seed: 'older' },
    () => undefined,
  );
  const folder = await temporaryFolder();
  const store = await openLocalFolder(await temporaryFolder());
  const { manifest } = await makeBackup({ ...(await partsOf(url, store)), folder, log });
  expect(manifest.migrations).toEqual([...older].sort());
  expect(manifest.tables.map(({ table }) => table)).not.toContain('audit.heads');

  const { url: target } = await restored(folder);
  const applied = await query(target, 'select name from kysely_migration order by name');
  // A restored installation may get programs of the version before, as any that is brought up to date.
  const due = migrations.filter(({ deferredDays }) => deferredDays === undefined);
  expect(applied.rows.map(({ name }) => name)).toEqual(due.map(({ recordedAs }) => recordedAs).sort());
  const accounts = 'select uid, username, phone, password_hash from accounts.accounts order by uid';
  const { rows } = await query(target, accounts);
  expect(rows.length).toBeGreaterThan(1);
  expect(rows).toEqual((await query(url, accounts)).rows);
  const events = 'select position, stream, revision, id, data from log.events order by position';
  expect((await query(target, events)).rows).toEqual((await query(url, events)).rows);
});
