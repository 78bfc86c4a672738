import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { migrate } from '../../projections/migrate.ts';
import { migrations } from '../../projections/migrations/index.ts';
import { createEmptyDatabase, type TestDatabase } from '../support/database.ts';

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
    expect(await migrate(database.url)).toEqual(Object.keys(migrations));
    expect(await migrate(database.url)).toEqual([]);
    const recorded = await query('select name from kysely_migration order by name');
    expect(recorded.rows.map(({ name }) => name)).toEqual(Object.keys(migrations));
  });

  test('of several at once one applies, and all return when the tables are there', async () => {
    const applied = await Promise.all([1, 2, 3, 4].map(() => migrate(database.url)));
    expect(applied.filter((names) => names.length > 0)).toEqual([Object.keys(migrations)]);
  });

  test('what fails leaves nothing of itself, and names the migration', async () => {
    await query('create schema accounts; create table accounts.tokens (wrong int)');
    await expect(migrate(database.url)).rejects.toThrow('0002-accounts');
    const found = await query("select from pg_sequences where schemaname = 'accounts'");
    expect(found.rowCount).toBe(0);
  });

  test('a database of a newer version is refused, by the name of what is unknown here', async () => {
    await migrate(database.url);
    await query("insert into kysely_migration values ('9999-of-the-future', now()::text)");
    await expect(migrate(database.url)).rejects.toThrow('newer version, which applied 9999-of-the-future');
  });

  test('a server that is not there is an error', async () => {
    await expect(migrate('postgresql://nobody@127.0.0.1:1/none')).rejects.toThrow('ECONNREFUSED');
  });
});
