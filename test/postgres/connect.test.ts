import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { openClient, openPool, type Purpose } from '../../services/postgres/connect.ts';
import { createEmptyDatabase } from '../support/database.ts';
import { startDatabaseProxy } from '../support/proxy.ts';

const purpose: Purpose = { name: 'test', statementTimeoutMs: 300 };
const backend = 'select pg_backend_pid() as pid';

let database: Awaited<ReturnType<typeof createEmptyDatabase>>;
let proxy: Awaited<ReturnType<typeof startDatabaseProxy>>;

beforeEach(async () => {
  database = await createEmptyDatabase();
  onTestFinished(() => database.drop());
  proxy = await startDatabaseProxy(database.url);
});

function pool() {
  const opened = openPool(proxy.url, purpose, { max: 3, onBroken: () => undefined });
  onTestFinished(() => opened.end());
  return opened;
}

describe('a connection that freezes', () => {
  test('fails its query within the timeout, and is removed from the pool with the idle ones', async () => {
    const frozen = pool();
    await Promise.all([1, 2, 3].map(() => frozen.query('select pg_sleep(0.1)')));
    expect(frozen.totalCount).toBe(3);
    proxy.freeze();
    await expect(frozen.query('select 1')).rejects.toThrow('the database has not answered for 800 ms');
    const asked = performance.now();
    expect((await frozen.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(performance.now() - asked).toBeLessThan(700);
    expect(frozen.totalCount).toBe(1);
  });

  test('fails all queries of one client', async () => {
    const client = await openClient(proxy.url, purpose);
    proxy.freeze();
    const waiting = await Promise.allSettled([client.query('select 1'), client.query('select 2')]);
    expect(waiting.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  test('is detected by silence alone: an answer that arrived while this process was blocked counts', async () => {
    const client = await openClient(database.url, purpose);
    const other = await openClient(database.url, { ...purpose, statementTimeoutMs: 10_000 });
    // Long enough for a look at the first connection, which has been idle since it was made.
    await other.query('select pg_sleep(0.3)');
    const answer = client.query('select pg_sleep(0.1), 1 as one');
    // Sent before the process is blocked for longer than the deadline, 800 ms.
    await new Promise(setImmediate);
    const until = performance.now() + 950;
    while (performance.now() < until);
    expect((await answer).rows).toMatchObject([{ one: 1 }]);
    await client.end();
    await other.end();
  });

  test('is detected while it is being made', async () => {
    const late = pool();
    proxy.discard(true);
    const asked = late.query('select 1');
    await expect(asked).rejects.toThrow('connection timeout');
    proxy.discard(false);
    expect((await late.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });
});

test('a statement that takes too long is cancelled by the server, and its connection stays usable', async () => {
  const client = await openClient(proxy.url, purpose);
  const { rows: before } = await client.query(backend);
  await expect(client.query('select pg_sleep(60)')).rejects.toMatchObject({ code: '57014' });
  expect((await client.query(backend)).rows).toEqual(before);
  await client.end();
});

test('the server ends a transaction whose client is idle', async () => {
  const client = await openClient(proxy.url, purpose);
  await client.query('create table held (a int); insert into held values (1)');
  await client.query('begin; update held set a = 2');
  const other = await openClient(database.url, { ...purpose, statementTimeoutMs: 10_000 });
  await other.query('update held set a = 3');
  expect((await other.query('select a from held')).rows).toEqual([{ a: 3 }]);
  await other.end();
  await client.end();
});
