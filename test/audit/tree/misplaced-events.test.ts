import { Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { migrate } from '../../../projections/migrate.ts';
import { readMigrations } from '../../../projections/migrations.ts';
import { auditorName } from '../../../services/audit/index/audit-task.ts';
import { HeadSigning } from '../../../services/audit/tree/head-signing.ts';
import { isAsItWas } from '../../../services/audit/tree/verified.ts';
import { verifiedInWords } from '../../../services/audit/tree/verified-words.ts';
import { verifyLog } from '../../../services/audit/tree/verify-log.ts';
import { streamName } from '../../../services/domain/aggregate.ts';
import { audit, seed, signer } from '../../support/audited-tree.ts';
import { type AuditedLog, auditedLogs } from '../../support/auditing.ts';
import { createEmptyDatabase } from '../../support/database.ts';
import { silent } from '../../support/projecting.ts';

const events = 600;
/** Its last event is the last one of the log. */
const stream = streamName('user-77777');

let audited: AuditedLog;
let pool: Pool;
beforeAll(async () => {
  audited = await auditedLogs[0][1]();
  pool = new Pool({ connectionString: audited.url });
  await seed(audited, events - 2);
  for (const type of ['AccountDisabled', 'AccountEnabled'])
    await audited.appendRaw(stream, type, { uid: 77777 });
  await audit(audited);
});
afterAll(async () => {
  await pool.end();
  await audited.close();
});

/** Who writes to the database may drop what keeps events in their places. */
async function dropConstraints(): Promise<void> {
  await pool.query(`
    create table kept as table log.events;
    drop index log.events_stream_revision;
    alter table log.events drop constraint events_pkey, drop constraint events_id_stream_key,
      drop constraint events_position_placed, drop constraint events_revision_placed;
    do $$ declare name text; begin
      foreach name in array array['position', 'stream', 'revision', 'id', 'type', 'data', 'metadata', 'recorded'] loop
        execute format('alter table log.events alter column %I drop not null', name);
      end loop;
    end $$`);
}

async function putBack(): Promise<void> {
  await pool.query(`
    truncate log.events;
    insert into log.events select * from kept;
    drop table kept;
    alter table log.events add primary key (position), add unique (id, stream),
      add constraint events_position_placed check (position between 1 and 9007199254740991),
      add constraint events_revision_placed check (revision >= 0),
      alter column type set not null, alter column data set not null, alter column metadata set not null,
      alter column recorded set not null, alter column revision set not null;
    create unique index events_stream_revision on log.events (
      hashtextextended(stream, 0), ((hashtextextended(stream, 1) >> 32)::integer), (revision::integer))`);
}

/** Writes an event past the program, as the one that the stream's last one is, but for what is given. */
async function insert(given: Readonly<Record<string, string>>): Promise<void> {
  const columns = ['position', 'stream', 'revision', 'id', 'type', 'data', 'metadata', 'recorded'];
  const values = columns.map((column) => given[column] ?? column);
  await pool.query(
    `insert into log.events (${columns.join(', ')}) select ${values.join(', ')} from log.events where position = ${events}`,
  );
}

const verify = () => verifyLog({ log: audited.log, database: pool, origin: signer.name });
const misplacements = async () =>
  (await verify()).misplaced.map((event) => `${event.stream}@${event.revision}: ${event.misplacement}`);
const inStream = async () =>
  (await Array.fromAsync(audited.log.readStream(stream))).map(({ revision }) => revision);
const inLog = async () =>
  (await Array.fromAsync(audited.log.readAll({ prefixes: [stream] }))).map(({ revision }) => revision);

const newId = 'gen_random_uuid()';

describe('npm run verify of a log into which was written past the program', () => {
  beforeEach(async () => {
    await dropConstraints();
    onTestFinished(putBack);
  });

  test('finds nothing if nothing was', async () => {
    const verified = await verify();
    expect(verified).toMatchObject({ size: events, difference: undefined, misplaced: [] });
    expect(isAsItWas(verified)).toBe(true);
    expect(verifiedInWords(verified)).toMatch(/^The log is as it was: 600 events/);
  });

  test.each(['0', '-5', '9223372036854775807'])(
    'names an event at position %s, which commands obey and no read of the whole log gives',
    async (position) => {
      await insert({ position, revision: '2', id: newId });
      expect([await inStream(), await inLog()]).toEqual([
        [0, 1, 2],
        [0, 1],
      ]);
      const verified = await verify();
      expect(isAsItWas(verified)).toBe(false);
      expect(verifiedInWords(verified)).toMatch(
        `MISPLACED: user-77777@2 (AccountEnabled) at position ${position} was not appended so: who reads its stream gets it, ` +
          'as commands do, and who reads the whole log does not\nOtherwise the log is as it was: 600 events',
      );
    },
  );

  test('names an event at the position of another, which a read of the whole log may lose at the end of a page', async () => {
    // Pages have 500 events.
    const data = `'{"uid":88888}'`;
    await insert({ position: '500', stream: `'user-88888'`, revision: '0', id: newId, data });
    expect((await verify()).misplaced).toMatchObject([
      { position: '500', misplacement: 'position repeated' },
    ]);
  });

  test('names an event with a revision below 0, which commands do not get and the read models do', async () => {
    await insert({ position: `${events + 1}`, revision: '-1', id: newId });
    expect([await inStream(), await inLog()]).toEqual([
      [0, 1],
      [0, 1, -1],
    ]);
    expect(await misplacements()).toEqual([
      'user-77777@0: revision out of order',
      'user-77777@-1: revision out of order',
    ]);
  });

  test('names an event with the revision of another', async () => {
    await insert({ position: `${events + 1}`, revision: '1', id: newId });
    expect(await misplacements()).toEqual(['user-77777@1: revision out of order']);
  });

  test('names an event that who reads the stream gets before another, and who reads the log after it', async () => {
    await insert({ position: `${events + 1}`, revision: '3', id: newId });
    await insert({ position: `${events + 2}`, revision: '2', id: newId });
    expect([await inStream(), await inLog()]).toEqual([
      [0, 1, 2, 3],
      [0, 1, 3, 2],
    ]);
    expect(await misplacements()).toEqual(['user-77777@3: revision out of order']);
  });

  test('names the event before which its stream lacks one', async () => {
    await insert({ position: `${events + 1}`, revision: '5', id: newId });
    expect(await misplacements()).toEqual(['user-77777@5: revision out of order']);
  });

  test('names the event before which positions are empty', async () => {
    await insert({ position: '9007199254740000', revision: '2', id: newId });
    expect(await inLog()).toEqual([0, 1, 2]);
    expect(await misplacements()).toEqual(['user-77777@2: positions missing']);
  });

  test('names an event with the id of another of its stream', async () => {
    await insert({ position: `${events + 1}`, revision: '2' });
    expect(await misplacements()).toEqual(['user-77777@2: id repeated']);
  });

  test.each(['position', 'revision', 'type', 'data', 'recorded'])(
    'names an event without its %s',
    async (column) => {
      await insert({ position: `${events + 1}`, revision: '2', id: newId, [column]: 'null' });
      const [first] = (await verify()).misplaced;
      expect(first).toMatchObject({ stream, misplacement: 'value missing' });
    },
  );

  test('names an event in a table that inherits from that of the log', async () => {
    await putBack();
    onTestFinished(async () => {
      await pool.query('drop table beside');
      await dropConstraints();
    });
    await pool.query('create table beside () inherits (log.events)');
    await pool.query(
      `insert into beside select 500, 'user-88888', 0, gen_random_uuid(), type, data, metadata, recorded
         from log.events where position = 1`,
    );
    expect((await verify()).misplaced).toMatchObject([
      { position: '500', misplacement: 'position repeated' },
    ]);
  });

  test('names it beside what is different from the tree', async () => {
    await insert({ position: '0', revision: '2', id: newId });
    await pool.query(`update log.events set type = 'AccountDisabled' where position = ${events}`);
    expect(verifiedInWords(await verify())).toMatch(/^MISPLACED: user-77777@2 .*\nCHANGED: user-77777@1 /);
  });

  test('is not needed for one that no read of the whole log gives while the program runs, which shows it', async () => {
    const signing = new HeadSigning({
      ...{ log: audited.log, database: pool, follower: auditorName, logger: silent, signer, everyMs: 20 },
    });
    onTestFinished(async () => {
      await signing.stop();
      await pool.query('truncate audit.heads');
    });
    signing.start();
    const fault = () => expect.poll(() => signing.status().fault ?? 'none', { timeout: 10_000 });
    await vi.waitUntil(() => signing.status().size === events, { timeout: 10_000 });
    await insert({ position: '0', revision: '2', id: newId });
    await fault().toContain('user-77777@2 (AccountEnabled) at position 0');
    await pool.query('delete from log.events where position = 0');
    await fault().toBe('none');
  });
});

describe('the table of events', () => {
  test.each([
    ['position', { position: '0', revision: '2' }],
    ['position', { position: '9007199254740992', revision: '2' }],
    ['revision', { position: `${events + 1}`, revision: '-1' }],
  ])('takes no %s that no append gives: %j', async (column, given) => {
    await expect(insert({ ...given, id: newId })).rejects.toThrow(`"events_${column}_placed"`);
  });

  test('is brought up to date with such an event in it, which can be removed and is named', async () => {
    const database = await createEmptyDatabase();
    onTestFinished(() => database.drop());
    const before = (await readMigrations()).filter(({ name }) => name !== '0083-placed-events');
    await migrate(database.url, { migrations: before });
    const client = new Pool({ connectionString: database.url });
    onTestFinished(() => client.end());
    await client.query(
      `insert into log.events (position, stream, revision, id, type, data, metadata, recorded)
        values (0, 'user-1', 0, gen_random_uuid(), 'AccountDisabled', '{"uid":1}', '{}', now())`,
    );
    await migrate(database.url);
    const { rows } = await client.query('select position from log.events');
    expect(rows).toEqual([{ position: '0' }]);
    await client.query('delete from log.events');
  });
});
