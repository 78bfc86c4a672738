import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { categories, readModelCategories } from '../../contracts/events/index.ts';
import { Uid } from '../../contracts/ids.ts';
import { signHead } from '../../services/audit/tree/heads.ts';
import { signingKey } from '../../services/audit/tree/note.ts';
import { makeBackup } from '../../services/backup/make-backup.ts';
import { backedUpTables, passingTables } from '../../services/backup/tables.ts';
import { findConnections } from '../../services/queries/system.ts';
import { person } from '../support/client.ts';
import { temporaryFolder } from '../support/folder.ts';
import { query } from '../support/installation.ts';
import { wrapLog } from '../support/wrapped-log.ts';
import { restored, running } from './backup-harness.ts';

test('who registers between the snapshot of the accounts and the end of the log keeps their password', async () => {
  const { app, parts } = await running();
  const folder = await temporaryFolder();
  const { log } = app.application;
  let reads = 0;
  const late = wrapLog(log, {
    readAll: (options) =>
      (async function* () {
        // The log is read once before the snapshot, and once after it.
        if (++reads === 2) await person(app, 'late');
        yield* log.readAll(options);
      })(),
  });
  await makeBackup({ ...parts, folder, log: late });
  expect(reads).toBe(2);
  const accounts = 'select uid, username, password_hash, registered from accounts.accounts order by uid';
  const before = (await query(app.databaseUrl, accounts)).rows;
  expect(before).toHaveLength(2);
  expect((await query((await restored(folder)).url, accounts)).rows).toEqual(before);
});

test('how far a backup is shows in the name of its connection', async () => {
  const { app, parts } = await running();
  const { database, log } = app.application;
  const names = async () => (await findConnections(database)).map(({ name }) => name);
  let shown: string | undefined;
  const store = {
    find: parts.store.find.bind(parts.store),
    async *list() {
      shown ??= await vi.waitUntil(async () =>
        (await names()).find((name) => /^bubble-im backup: /.test(name)),
      );
      yield* parts.store.list();
    },
  };
  await makeBackup({ ...parts, folder: await temporaryFolder(), log, store });
  expect(shown).toMatch(/^bubble-im backup: \d+ events, \d+ uploads$/);
  expect((await names()).filter((name) => /backup/.test(name))).toEqual([]);
});

test('ids go on above those of the backup, with a gap for those that were given after it', async () => {
  const { app, parts } = await running();
  const folder = await temporaryFolder();
  await query(app.databaseUrl, "select setval('accounts.mid', 5000)");
  await makeBackup({ ...parts, folder, log: app.application.log });
  const { url: target } = await restored(folder);
  const { rows } = await query(
    target,
    `select nextval('accounts.mid')::int as mid, nextval('accounts.uid')::int as uid`,
  );
  expect(rows[0]).toEqual({ mid: 100_005_001, uid: 10_002 });
});

test('read models count as complete once they have all of their categories, even if the log ends with events of access', async () => {
  const { app, parts } = await running();
  const folder = await temporaryFolder();
  const { access, log } = app.application;
  const shown = await log.end(readModelCategories);
  const context = {
    actor: 'nobody',
    correlationId: 'login',
    time: Date.now(),
    generation: log.generation,
  } as const;
  access.record({ type: 'LoggedIn', data: { uid: Uid.parse(1), session: '0123456789abcdef' } }, context);
  await vi.waitUntil(async () => (await log.end(categories)) > shown);
  await makeBackup({ ...parts, folder, log });
  const { rows } = await query(
    (await restored(folder)).url,
    `select quiet_until as quiet from followers.checkpoint where name = 'read'`,
  );
  expect(rows).toEqual([{ quiet: shown }]);
});

test('the head of a backup is of the log’s own name, also if one of another was of more events, or is the only one', async () => {
  const { app, parts } = await running();
  const folder = await temporaryFolder();
  const [former, present] = ['former', 'present'].map((name, index) =>
    signHead({ name, key: signingKey(randomBytes(32)) }, { size: 1_000 - index, root: randomBytes(32) }),
  );
  await app.application.pool.query(
    `insert into audit.heads (origin, size, note, signed) values
       ('former', 1000, $1, now() - interval '1 day'), ('present', 999, $2, now())`,
    [former, present],
  );
  const { log } = app.application;
  const { manifest } = await makeBackup({ ...parts, folder, log, auditOrigin: 'present' });
  expect(manifest.head).toBe(present);
  const another = await makeBackup({
    ...parts,
    folder: await temporaryFolder(),
    log,
    auditOrigin: 'another',
  });
  expect(another.manifest.head).toBeNull();
});

test('every table of the accounts is in a backup, or is known to be void after minutes', async () => {
  const { app } = await running();
  const { rows } = await query(
    app.databaseUrl,
    `select schemaname || '.' || tablename as name from pg_tables where schemaname = 'accounts' order by 1`,
  );
  const known = [...backedUpTables.keys(), ...passingTables].filter((name) => name.startsWith('accounts.'));
  expect(rows.map(({ name }) => name)).toEqual(known.sort());
});

test('names that look like line breaks to some programs come back as they were', async () => {
  const { app, parts } = await running();
  const folder = await temporaryFolder();
  await query(
    app.databaseUrl,
    `insert into accounts.uploads (path, name, bytes) values ('files/202601/x', E'a\\u2028b\\u2029c\\rd\\ne', 1)`,
  );
  await makeBackup({ ...parts, folder, log: app.application.log });
  const { rows } = await query((await restored(folder)).url, 'select name from accounts.uploads');
  expect(rows).toEqual([{ name: 'a\u2028b\u2029c\rd\ne' }]);
});

test('a second backup replaces the lists of the first, and keeps its folder small', async () => {
  const { app, parts } = await running();
  const folder = await temporaryFolder();
  const first = await makeBackup({ ...parts, folder, log: app.application.log });
  const second = await makeBackup({ ...parts, folder, log: app.application.log });
  expect(first.newEvents).toBeGreaterThan(0);
  expect(second.newEvents).toBe(0);
  const text = await readFile(join(folder, 'manifest.json'), 'utf8');
  expect(text).toContain(second.manifest.id);
  await expect(readFile(join(folder, first.manifest.uploads.name))).rejects.toThrow('ENOENT');
});
