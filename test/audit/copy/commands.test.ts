import { execFile } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { categories } from '../../../contracts/events/index.ts';
import { migrate } from '../../../projections/migrate.ts';
import { readMigrations } from '../../../projections/migrations.ts';
import { startProjector } from '../../../projections/runner/projector.ts';
import { history } from '../../../scripts/seed/history.ts';
import { copyLog } from '../../../services/audit/copy/copy-log.ts';
import { logCopy } from '../../../services/audit/copy/log-copy.ts';
import { holderOf } from '../../../services/data-folder.ts';
import { appendInOrder } from '../../../services/log/append-in-order.ts';
import { openEventStoreDBLog } from '../../../services/log/eventstoredb/eventstoredb-log.ts';
import { newIdentityName } from '../../../services/log/identity.ts';
import type { StreamName } from '../../../services/log/log.ts';
import { openPostgresLog } from '../../../services/log/postgres/postgres-log.ts';
import { prefixedLog } from '../../../services/log/prefixed.ts';
import { silent } from '../../support/accounts.ts';
import { createDatabase, createEmptyDatabase } from '../../support/database.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { startProgram } from '../../support/process.ts';
import { caughtUp, openWorld } from '../../support/projecting.ts';
import { runScript } from '../../support/script.ts';
import { wrapLog } from '../../support/wrapped-log.ts';

async function run(
  script: string,
  parameters: readonly string[],
  databaseUrl: string,
  dataFolder = '/nonexistent',
) {
  const environment = { PATH: process.env.PATH, DATABASE_URL: databaseUrl, DATA_DIR: dataFolder };
  return promisify(execFile)(process.execPath, [`scripts/${script}.ts`, ...parameters], {
    env: environment,
  }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  );
}

async function database(create = createDatabase): Promise<string> {
  const { url, drop } = await create();
  onTestFinished(drop);
  return url;
}

test('npm run export and npm run import carry a log into a database that was empty, with one root', async () => {
  const [source, target, folder] = [
    await database(),
    await database(createEmptyDatabase),
    await temporaryFolder(),
  ];
  const log = await openPostgresLog({ connectionString: source });
  await appendInOrder(log, history({ events: 800, seed: 'commands' }), () => undefined);
  await log.found({ installation: 'abcdefabcdef', epoch: newIdentityName() });
  await log.close();
  const out = await run('export', ['--to', folder], source);
  expect(out).toMatchObject({ code: 0, stdout: expect.stringContaining('800 events are in the copy.') });
  expect(await readdir(folder)).toEqual([
    'events-000000000000.ndjson',
    'export.json',
    'installation',
    'lock',
  ]);
  const back = await run('import', ['--from', folder], target);
  expect(back).toMatchObject({ code: 0, stdout: out.stdout });
  const again = await run('import', ['--from', folder], target);
  expect(again.stdout).toContain('800 of which were there before');
  const copied = await openPostgresLog({ connectionString: target });
  const { installation } = (await copied.identity()) ?? {};
  await copied.close();
  expect(installation).toBe('abcdefabcdef');
});

test('npm run export refuses the log of another installation in tables of an older version, and changes none', async () => {
  const [source, target] = [await database(), await database(createEmptyDatabase)];
  await fill(source, 30, 'ours');
  const older = (await readMigrations()).map(({ recordedAs }) => recordedAs).slice(0, 8);
  await migrate(target, { wanted: older });
  await fill(target, 10, 'theirs');
  const client = new pg.Client({ connectionString: target });
  await client.connect();
  onTestFinished(() => client.end());
  const contents = async () => ({
    migrations: (await client.query('select name from kysely_migration order by name')).rows,
    tables: (await client.query('select oid, relname from pg_class order by oid')).rows,
    events: (await client.query('select position, id from log.events order by position')).rows,
  });
  const before = await contents();
  expect(await run('export', ['--to', target], source)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('the target is no beginning of the source: it has '),
  });
  expect(await contents()).toEqual(before);
});

test('npm run export goes on in a database with tables of an older version, which it brings up to date', async () => {
  const [source, target] = [await database(), await database(createEmptyDatabase)];
  await fill(source, 10, 'ours');
  const all = (await readMigrations()).map(({ recordedAs }) => recordedAs);
  await migrate(target, { wanted: all.slice(0, 8) });
  const logs = await Promise.all([source, target].map((url) => openPostgresLog({ connectionString: url })));
  const [ours, theirs] = logs.map((log) => logCopy(log));
  if (!ours || !theirs) throw new Error('there are no two logs');
  const { size } = await copyLog(ours, theirs, () => undefined);
  await Promise.all(logs.map((log) => log.close()));
  await fill(source, 30, 'more');
  expect(await run('export', ['--to', target], source)).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(
      new RegExp(`^\\d+ events are in the copy, ${size} of which were there before`),
    ),
  });
  expect(await migrate(target)).toEqual([]);
});

/** Fills a log with the first events of a history. */
async function fill(url: string, events: number, seed: string): Promise<void> {
  const log = await openPostgresLog({ connectionString: url });
  await appendInOrder(log, history({ events, seed }), () => undefined);
  await log.close();
}

test('npm run export refuses a folder into which another one exports, which can be gone on with', async () => {
  const [source, folder] = [await database(), await temporaryFolder()];
  const log = await openPostgresLog({ connectionString: source });
  await appendInOrder(log, history({ events: 300, seed: 'at once' }), () => undefined);
  await log.found({ installation: 'abcdefabcdef', epoch: newIdentityName() });
  await log.close();
  // Holds the first one up when it reads the events.
  const holder = new pg.Client({ connectionString: source });
  await holder.connect();
  onTestFinished(() => holder.end());
  await holder.query('begin; lock table log.events in access exclusive mode');
  const environment = { DATABASE_URL: source, DATA_DIR: '/nonexistent' };
  const first = startProgram('scripts/export.ts', ['--to', folder], environment);
  await expect.poll(() => holderOf(folder), { interval: 20, timeout: 30_000 }).toBeDefined();
  const second = await run('export', ['--to', folder], source);
  expect(second).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(
      /^export: the export folder .* is in use by the process \d+: wait until it has ended$/m,
    ),
  });
  first.signal('SIGKILL');
  expect(await first.ended).toBe('SIGKILL');
  await holder.query('commit');
  const third = await run('export', ['--to', folder], source);
  expect(third).toMatchObject({ code: 0, stdout: expect.stringContaining('300 events are in the copy') });
  const fourth = await run('export', ['--to', folder], source);
  expect(fourth).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('300 of which were there before'),
  });
}, 120_000);

/** What a command says that copies a log of 10 events which was changed in its database. */
async function copyOfChanged(command: string, seed: string, change: string) {
  const source = await database();
  const log = await openPostgresLog({ connectionString: source });
  await appendInOrder(log, history({ events: 10, seed }), () => undefined);
  await log.close();
  const client = new pg.Client({ connectionString: source });
  await client.connect();
  await client.query(change);
  await client.end();
  return run(command, ['--to', await temporaryFolder()], source, await temporaryFolder());
}

test.each(['export', 'backup'])(
  'npm run %s names an event that it does not copy, as no read of the whole log gives it',
  async (command) => {
    const { code, stderr } = await copyOfChanged(
      command,
      'misplaced',
      `alter table log.events drop constraint events_position_placed;
      insert into log.events (position, stream, revision, id, type, data, metadata, recorded)
        values (0, 'user-77777', 0, gen_random_uuid(), 'AccountDisabled', '{"uid":77777}', '{}', now())`,
    );
    expect(stderr).toContain(
      `${command}: this is not copied: user-77777@0 (AccountDisabled) at position 0 was not appended so`,
    );
    expect(code).toBe(0);
  },
);

test.each(['export', 'backup'])(
  'npm run %s names an event of which it copies less than is stored, as a key is there twice',
  async (command) => {
    const { code, stderr } = await copyOfChanged(
      command,
      'unread',
      `update log.events set data = regexp_replace(data, '^.', '{"content":"never said","content":2,') where position = 7`,
    );
    expect(stderr).toMatch(
      /this is copied as programs read it: \S+@\d+ \(.* was not appended so: its data hold/,
    );
    expect(stderr).not.toContain('never said');
    expect(stderr.match(/this is copied/g)).toHaveLength(1);
    expect(code).toBe(0);
  },
);

test.each([
  ['export', [], "required option '--to <place>' not specified"],
  ['export', ['--to', 'package.json'], '--to package.json is no folder'],
  ['export', ['--to', 'ftp://somewhere'], 'is neither a folder nor a URL of Postgres or EventStoreDB'],
  ['import', ['--from', 'ftp://somewhere'], 'is neither a folder nor a URL of Postgres or EventStoreDB'],
])('npm run %s with %j says what is wrong', async (script, parameters, reason) => {
  const { code, stderr } = await run(script, parameters, await database());
  expect(stderr).toContain(reason);
  expect(code).toBe(1);
});

test('npm run import names a source that holds no export, before it makes an installation for it', async () => {
  const [empty, unfinished, backup, data] = await Promise.all([
    temporaryFolder(),
    temporaryFolder(),
    temporaryFolder(),
    temporaryFolder(),
  ]);
  await writeFile(join(unfinished, 'events-000000000000.ndjson'), '{"stream":"user-1","revis');
  await writeFile(join(backup, 'manifest.json'), '{}');
  const target = { DATA_DIR: join(data, 'new') };
  const wrong: [from: string, reason: string][] = [
    [join(empty, 'nope'), 'is not there'],
    ['package.json', 'is no folder'],
    [empty, 'holds no export: it has no events-000000000000.ndjson'],
    [unfinished, 'holds no export: events-000000000000.ndjson has no whole line'],
    [backup, 'is a backup: npm run restore takes it'],
  ];
  for (const [from, reason] of wrong) {
    const ended = await runScript('import', ['--from', from], target);
    expect(ended).toEqual({ code: 1, stdout: '', stderr: `import: --from ${from} ${reason}\n` });
  }
  expect(await readdir(data)).toEqual([]);
});

const eventStoreUrl = process.env.EVENTSTORE_URL;

test.skipIf(eventStoreUrl === undefined)(
  'read models are made again from a log that was copied into another store, and show the same (needs EVENTSTORE_URL)',
  async () => {
    const world = await openWorld();
    const prefix = `moved${crypto.randomUUID().slice(0, 8)}-`;
    const identityStream = `${prefix}installation` as StreamName;
    const store = openEventStoreDBLog({ url: eventStoreUrl ?? '', logger: silent, identityStream });
    onTestFinished(async () => {
      await store.close();
      await world.close();
    });
    const log = prefixedLog(store, prefix);
    await appendInOrder(world.log, history({ events: 1000, seed: 'moved' }), () => undefined);
    await world.project();
    const shown = async () => [
      await world.query(
        'select conversation, sequence, mid, sender, content, state from read.messages order by 1, 2',
      ),
      await world.query('select uid, conversation, read_sequence, own, pinned from read.inbox order by 1, 2'),
      await world.query('select gid, uid, role, muted_until, remark from read.group_members order by 1, 2'),
      await world.query('select uid, nickname, account_state from read.users order by 1'),
    ];
    const before = await shown();
    expect(before.map((rows) => rows.length > 0)).toEqual([true, true, true, true]);
    await copyLog(logCopy(world.log), logCopy(log), () => undefined);
    const { installation = '' } = (await world.log.identity()) ?? {};
    await log.found({ installation, epoch: newIdentityName() });
    await world.query('delete from read.messages where sequence = 1');
    const { bus, url } = world;
    const projector = await startProjector({ log, database: url, bus, logger: silent });
    // The identity is an event behind the others.
    const events = wrapLog(log, { end: () => log.end(categories) });
    await caughtUp({ ...world, log: events }, projector).finally(() => projector.stop());
    expect(await shown()).toEqual(before);
  },
);
