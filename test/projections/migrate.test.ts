import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { migrate } from '../../projections/migrate.ts';
import { readMigrations } from '../../projections/migrations.ts';
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
    expect(await migrate(database.url)).toEqual(names.slice(released.length));
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

  test('a database of a newer version is refused, with the names of the unknown migrations', async () => {
    await migrate(database.url);
    await query("insert into kysely_migration values ('9999-of-the-future', now()::text)");
    await expect(migrate(database.url)).rejects.toThrow('newer version, which applied 9999-of-the-future');
  });

  test('a server that does not answer is an error', async () => {
    await expect(migrate('postgresql://nobody@127.0.0.1:1/none')).rejects.toThrow('ECONNREFUSED');
  });
});
