import { randomBytes } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { history } from '../../scripts/seed/history.ts';
import { appendInOrder } from '../../services/log/append-in-order.ts';
import { openPostgresLog } from '../../services/log/postgres/postgres-log.ts';
import { createDatabase } from '../support/database.ts';
import { temporaryFolder } from '../support/folder.ts';
import { query } from '../support/installation.ts';
import { runScript } from '../support/script.ts';
import { emptyDatabase, verified } from './backup-harness.ts';

test('keys that the environment gives are in no backup; backup and restore say so', {
  timeout: 60_000,
}, async () => {
  const database = await createDatabase();
  onTestFinished(() => database.drop());
  const log = await openPostgresLog({ connectionString: database.url });
  await appendInOrder(log, history({ events: 20, seed: 'keys' }), () => undefined);
  await log.close();
  const given = {
    APP_KEY: 'key-1',
    APP_SECRET: 'secret-of-the-environment',
    AUDIT_KEY: randomBytes(32).toString('base64'),
  };
  const folder = await temporaryFolder();
  const source = { DATABASE_URL: database.url, DATA_DIR: await temporaryFolder() };
  const made = await runScript('backup', ['--to', folder], { ...source, ...given });
  expect(made.stdout).toContain('since the environment gives it: APP_KEY and APP_SECRET.');
  expect(made.stdout).toContain('since the environment gives it: AUDIT_KEY.');
  expect((await verified(folder)).manifest.keys).toEqual([]);

  const target = { DATABASE_URL: await emptyDatabase(), DATA_DIR: await temporaryFolder() };
  const restored = await runScript('restore', ['--from', folder], target);
  expect(restored).toMatchObject({ code: 0 });
  expect(restored.stdout).toContain(
    'Not in the backup: APP_KEY and APP_SECRET. Give it before the first start, else the first start makes another key',
  );
  // No head was signed, so the next key may sign the first one.
  expect(restored.stdout).not.toContain('AUDIT_KEY');
  expect((await query(target.DATABASE_URL, 'select count(*)::int as count from log.events')).rows).toEqual([
    { count: 20 },
  ]);
});
