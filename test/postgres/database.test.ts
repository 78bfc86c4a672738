import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { createDatabase, createEmptyDatabase } from '../support/database.ts';

describe('the database of a test file', () => {
  test('has all tables, and shares nothing with others', async () => {
    const [one, other] = [await createDatabase(), await createDatabase()];
    const client = new pg.Client({ connectionString: one.url });
    await client.connect();
    await client.query("insert into read.settings values ('app_name', 'one')");
    await client.end();
    const second = new pg.Client({ connectionString: other.url });
    await second.connect();
    expect((await second.query('select * from read.settings')).rowCount).toBe(0);
    await second.end();
    await one.drop();
    await other.drop();
  });

  test('reports a connection that was left open, and is dropped', async () => {
    const database = await createEmptyDatabase();
    const leaked = new pg.Client({ connectionString: database.url });
    leaked.on('error', () => {});
    await leaked.connect();
    await leaked.query("select 'the leaked one'");
    await expect(database.drop()).rejects.toThrow('the leaked one');
    const late = new pg.Client({ connectionString: database.url });
    await expect(late.connect()).rejects.toThrow('does not exist');
  });
});
