import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkReadModels } from '../../projections/rebuild/check.ts';
import { rebuild } from '../../projections/rebuild/rebuild.ts';
import { readModelsVersion } from '../../projections/rebuild/version.ts';
import { history } from '../../scripts/seed/history.ts';
import { appendInOrder } from '../../services/log/append-in-order.ts';
import { openWorld, silent, type World } from '../support/projecting.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
  await appendInOrder(world.log, history({ events: 1500, seed: 'check' }), () => undefined);
  await world.project();
});
afterAll(() => world.close());

async function check(signal: AbortSignal = AbortSignal.timeout(60_000)) {
  const options = { log: world.log, database: world.url, logger: silent, maxDifferences: 10, signal };
  return checkReadModels({ ...options, version: await readModelsVersion() });
}

test('a check of the read models finds no difference, and leaves nothing behind', async () => {
  const before = await world.everything();
  expect(await check()).toMatchObject({ differences: [], counts: {} });
  expect(await world.everything()).toEqual(before);
  expect(await world.query(`select nspname from pg_namespace where nspname like 'read\\_%'`)).toEqual([]);
});

test('a check names each value that differs and each row that one side lacks, and mends none', async () => {
  await world.query(`update read.users set nickname = 'damaged' where uid = 1`);
  await world.query(`delete from read.messages where conversation in (select min(conversation) from read.messages)
    and sequence = 1`);
  await world.query(`insert into read.settings values ('nobody', 'set this')`);
  const damaged = await world.everything();
  const checked = await check();
  if (typeof checked === 'string') throw new Error(checked);
  expect(checked.counts).toEqual({ messages: 1, settings: 1, users: 1 });
  expect(checked.differences).toContainEqual(
    expect.objectContaining({ table: 'users', key: { uid: 1 }, column: 'nickname', before: 'damaged' }),
  );
  expect(checked.differences).toContainEqual(
    expect.objectContaining({ table: 'settings', before: { name: 'nobody', value: 'set this' } }),
  );
  const [missing] = checked.differences.filter(({ table }) => table === 'messages');
  expect(missing?.before).toBeUndefined();
  expect(missing?.after).toMatchObject({ sequence: 1 });
  expect(await world.everything()).toEqual(damaged);
  await world.forget();
  await world.project();
});

test('a check that is interrupted says so, and leaves nothing behind', async () => {
  expect(await check(AbortSignal.abort())).toBe('interrupted');
  expect(await leftovers()).toEqual({ schemas: [], followers: [] });
});

test('a check begins after one that was killed', async () => {
  await world.query('create schema read_check; create table read_check.users (uid int)');
  await world.query(
    `insert into followers.checkpoint (name, position, batch, fence, epoch, version)
     select 'read-check', position, batch, fence, epoch, version from followers.checkpoint where name = 'read'`,
  );
  expect(await check()).toMatchObject({ counts: {} });
  expect(await leftovers()).toEqual({ schemas: [], followers: [] });
});

test('a check makes also those rows anew that an interrupted rebuild has made, and leaves that one to be gone on with', async () => {
  const interruption = new AbortController();
  const options = {
    ...{ log: world.log, database: world.url, logger: silent, version: await readModelsVersion() },
    ...{ maxDifferences: 10, maxBatchEvents: 50, patient: false },
  };
  const first = await rebuild({
    ...options,
    onFilled: () => interruption.abort(),
    signal: interruption.signal,
  });
  expect(first).toBe('interrupted');
  const begun = await leftovers();
  expect(begun.schemas).toEqual(['read_next']);
  const [person] = await world.query<{ uid: number }>('select min(uid)::int as uid from read_next.users');
  for (const schema of ['read', 'read_next'])
    await world.query(`update ${schema}.users set nickname = 'forged' where uid = $1`, [person?.uid]);

  const checked = await check();
  if (typeof checked === 'string') throw new Error(checked);
  expect(checked.differences).toEqual([
    { ...{ table: 'users', key: person, column: 'nickname' }, before: 'forged', after: expect.any(String) },
  ]);
  expect(await leftovers()).toEqual(begun);

  let from: string | undefined;
  const onBegun = (position: string) => {
    from = position;
  };
  await rebuild({ ...options, onBegun, signal: AbortSignal.timeout(60_000) });
  expect(from).toBe(begun.followers[0]?.position);
  expect(from).not.toBe('');
});

/** What is beside the served set. */
async function leftovers() {
  const schemas = await world.query<{ nspname: string }>(
    `select nspname from pg_namespace where nspname like 'read\\_%' order by 1`,
  );
  const followers = await world.query<{ name: string; position: string }>(
    `select name, position from followers.checkpoint where name like 'read-%' and version is not null order by 1`,
  );
  return { schemas: schemas.map(({ nspname }) => nspname), followers };
}
