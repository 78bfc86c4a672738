import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkReadModels } from '../../projections/rebuild/check.ts';
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
});

test('a check that is interrupted says so', async () => {
  expect(await check(AbortSignal.abort())).toBe('interrupted');
});
