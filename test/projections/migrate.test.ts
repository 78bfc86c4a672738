import pg from 'pg';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { migrate } from '../../projections/migrate.ts';
import { migrationOf, readMigrations } from '../../projections/migrations.ts';
import { createEmptyDatabase, type TestDatabase } from '../support/database.ts';

/** The names that the version with other numbers recorded, in the order in which it applied them. */
const released = [
  '0001-log',
  '0002-accounts',
  '0003-read-models',
  '0004-presence',
  '0010-lease',
  '0020-identity',
  '0040-group-mutes',
  '0041-invitations',
  '0042-snapshots',
  '0050-known-addresses',
  '0070-uploads',
  '0080-gateway-beats',
  '0081-pushed-messages',
  '0090-keys-by-person',
  '0100-last-events',
  '0101-member-versions',
];

const migrations = await readMigrations();
const names = migrations.map(({ name }) => name);

let database: TestDatabase;

beforeEach(async () => {
  database = await createEmptyDatabase();
});

afterEach(() => database.drop());

async function query(text: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    return await client.query(text);
  } finally {
    await client.end();
  }
}

describe('migrating', () => {
  test('an empty database gets every migration, in order; the second time there is nothing to do', async () => {
    expect(await migrate(database.url)).toEqual(names);
    expect(await migrate(database.url)).toEqual([]);
  });

  test('a database of the version that numbered its migrations otherwise gets only the later ones', async () => {
    const first = migrations.slice(0, released.length);
    const recorded = released.map((name) => `('${name}', now()::text)`).join(', ');
    await query(`
      create table kysely_migration (name varchar(255) primary key, timestamp varchar(255) not null);
      insert into kysely_migration values ${recorded};
      ${first.map(({ sql }) => sql).join('\n')}`);
    expect(await migrate(database.url)).toEqual(
      migrations.slice(released.length).flatMap(({ name, deferredDays }) => (deferredDays ? [] : [name])),
    );
  });

  test('if several do it at once, one applies them, and all return when the tables are there', async () => {
    const applied = await Promise.all([1, 2, 3, 4].map(() => migrate(database.url)));
    expect(applied.filter((names) => names.length > 0)).toEqual([names]);
  });

  test('a migration that fails is named, and nothing of it remains', async () => {
    await query('create schema accounts; create table accounts.tokens (wrong int)');
    await expect(migrate(database.url)).rejects.toThrow('0002-accounts');
    const found = await query("select from pg_sequences where schemaname = 'accounts'");
    expect(found.rowCount).toBe(0);
  });

  test('a program starts beside migrations of a newer version that only added, or removed what it does not use', async () => {
    await migrate(database.url, {
      migrations: [
        ...migrations,
        migrationOf('9998-adds', 'create table read.of_the_future (id bigint)'),
        migrationOf('9999-removes', `-- Unused since ${names.at(-1)}\ndrop table read.of_the_future`),
      ],
    });
    expect(await migrate(database.url)).toEqual([]);
  });

  test('a program that uses what a newer version removed is refused, with the names of the migrations that removed it', async () => {
    await migrate(database.url, {
      migrations: [
        ...migrations,
        migrationOf('9998-adds', 'create table read.of_the_future (id bigint)'),
        migrationOf('9999-removes', '-- Unused since 9998-adds\ndrop table accounts.captchas'),
      ],
    });
    await expect(migrate(database.url)).rejects.toThrow('removed what this one uses (9999-removes)');
  });

  test('a migration that is deferred is applied once its days are over, and to a new database at once', async () => {
    const first = migrationOf('0001-first', 'create schema read; create table read.t (old text)');
    const adds = migrationOf('0002-adds', 'alter table read.t add column more text');
    const removes = migrationOf(
      '0003-removes',
      '-- Unused since 0002-adds\n-- Deferred 7 days\nalter table read.t drop old',
    );
    const all = { migrations: [first, adds, removes] };
    await migrate(database.url, { migrations: [first] });
    expect(await migrate(database.url, all)).toEqual(['0002-adds']);
    const addedAgo = (interval: string) =>
      query(
        `update kysely_migration set timestamp = now() - interval '${interval}' where name = '0002-adds'`,
      );
    await addedAgo('167 hours');
    expect(await migrate(database.url, all)).toEqual([]);
    await addedAgo('169 hours');
    expect(await migrate(database.url, all)).toEqual(['0003-removes']);
    const created = await createEmptyDatabase();
    onTestFinished(() => created.drop());
    expect(await migrate(created.url, all)).toHaveLength(3);
  });

  test('a table that is locked by others is waited for without blocking them', async () => {
    await migrate(database.url);
    const holder = new pg.Client({ connectionString: database.url });
    await holder.connect();
    await holder.query('begin; select from read.users');
    const migrated = migrate(database.url, {
      migrations: [...migrations, migrationOf('9999-adds', 'alter table read.users add column more text')],
    });
    const waits = async () =>
      (await query(`select from pg_locks where not granted and relation = 'read.users'::regclass`)).rowCount;
    await expect.poll(waits, { interval: 5 }).toBe(1);
    // It leaves the queue of the lock, in which everybody would wait behind it.
    await expect.poll(waits, { interval: 5 }).toBe(0);
    await query('select from read.users limit 1');
    await holder.query('commit');
    await holder.end();
    expect(await migrated).toEqual(['9999-adds']);
  });

  test('an index is made beside those who write, and again if making it was interrupted', async () => {
    await migrate(database.url);
    const index = 'create index concurrently if not exists of_the_future on read.users (nickname)';
    // As an interruption leaves it.
    await query(`${index.replace('concurrently ', '')};
      update pg_index set indisvalid = false where indexrelid = 'read.of_the_future'::regclass`);
    const writer = new pg.Client({ connectionString: database.url });
    await writer.connect();
    await writer.query('begin; lock table read.users in row exclusive mode');
    const both = [1, 2].map(() =>
      migrate(database.url, { migrations: [...migrations, migrationOf('9999-index', index)] }),
    );
    const waits = async () =>
      (
        await query(
          `select from pg_stat_activity where query ~ '^(drop|create) index' and wait_event_type = 'Lock'`,
        )
      ).rowCount;
    await expect.poll(waits, { interval: 5 }).toBe(1);
    await query(`update read.users set nickname = nickname`);
    await writer.query('commit');
    await writer.end();
    expect((await Promise.all(both)).flat()).toEqual(['9999-index']);
    const { rows } = await query(
      `select indisvalid as valid from pg_index where indexrelid = 'read.of_the_future'::regclass`,
    );
    expect(rows).toEqual([{ valid: true }]);
  });

  test('a server that does not answer is an error', async () => {
    await expect(migrate('postgresql://nobody@127.0.0.1:1/none')).rejects.toThrow('ECONNREFUSED');
  });
});
