import { afterAll, beforeAll, expect, test } from 'vitest';
import { Uid } from '../../contracts/ids.ts';
import { createPool } from '../../services/postgres/pool.ts';
import { queryPrepared } from '../../services/postgres/prepared-queries.ts';
import { findProfile } from '../../services/queries/people.ts';
import { readDatabase } from '../../services/queries/tables.ts';
import { silent } from '../support/accounts.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';

const all = 'select * from shape';

let database: TestDatabase;
let pool: ReturnType<typeof createPool>;

beforeAll(async () => {
  database = await createDatabase();
  pool = createPool(database.url, silent);
  await pool.query('create table shape (a int); insert into shape values (1)');
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

test('a query whose plan a migration made stale is answered, on every connection', async () => {
  const clients = await Promise.all([pool.connect(), pool.connect(), pool.connect()]);
  for (const client of clients) expect((await queryPrepared(client, all, [])).rows).toEqual([{ a: 1 }]);
  await pool.query('alter table shape add b int');
  for (const client of clients) {
    expect((await queryPrepared(client, all, [])).rows).toEqual([{ a: 1, b: null }]);
    client.release();
  }
  expect((await queryPrepared(pool, all, [])).rows).toEqual([{ a: 1, b: null }]);
});

test('a stale plan ends its transaction, and the next one works', async () => {
  const client = await pool.connect();
  await queryPrepared(client, all, []);
  await pool.query('alter table shape add c int');
  await client.query('begin');
  await expect(queryPrepared(client, all, [])).rejects.toThrow('cached plan must not change result type');
  await client.query('rollback; begin');
  expect((await queryPrepared(client, all, [])).rows).toEqual([{ a: 1, b: null, c: null }]);
  await client.query('commit');
  client.release();
});

test('a profile is read after columns were added to its table', async () => {
  const reading = readDatabase(pool);
  await pool.query(
    `insert into read.users (uid, username, nickname, avatar, sign, number_id, is_member, account_state)
     values (1, 'tom', 'Tom', '', '', 10001, false, 'normal')`,
  );
  const tom = () => findProfile(reading, async () => new Map(), { uid: Uid.parse(1) });
  const before = await tom();
  expect(before).toMatchObject({ uid: 1, username: 'tom' });
  await pool.query('alter table read.users add birthday date');
  expect(await tom()).toEqual(before);
});
