import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { handlePoolErrors } from '../../services/postgres/connect.ts';
import { createPool } from '../../services/postgres/pool.ts';
import { silent } from '../support/accounts.ts';
import { createEmptyDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let pool: ReturnType<typeof createPool>;
beforeAll(async () => {
  database = await createEmptyDatabase();
  pool = createPool(database.url, silent);
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const backendOf = 'select pg_backend_pid() as pid';

describe('a connection that the server ends', () => {
  test('while it is checked out without a query has no effect, and is replaced', async () => {
    const client = await pool.connect();
    const { rows } = await client.query<{ pid: number }>(backendOf);
    const ended = new Promise((resolve) => client.once('end', resolve));
    await pool.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
    await ended;
    await expect(client.query('select 1')).rejects.toThrow('not queryable');
    client.release();
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  test('while it is idle is reported', async () => {
    const reasons: string[] = [];
    handlePoolErrors(pool, (reason) => reasons.push(reason));
    const clients = await Promise.all([pool.connect(), pool.connect()]);
    const [idle, other] = clients;
    const { rows } = await idle.query<{ pid: number }>(backendOf);
    idle.release();
    await other.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
    other.release();
    await expect.poll(() => reasons).toContain('terminating connection due to administrator command');
  });
});
