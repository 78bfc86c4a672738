import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Rebuilt, rebuild } from '../../projections/rebuild/rebuild.ts';
import { readModelsVersion } from '../../projections/rebuild/version.ts';
import { history, Retelling } from '../support/histories.ts';
import { openWorld, silent, type World } from '../support/projecting.ts';

let world: World;
const version = await readModelsVersion();

beforeAll(async () => {
  world = await openWorld();
  const steps = fc.sample(history, { numRuns: 12, seed: 7 }).flat();
  await world.given(...new Retelling(steps).events);
  await world.project();
});

afterAll(() => world.close());

async function rebuilt(maxBatchEvents?: number): Promise<Rebuilt> {
  const result = await rebuild({
    ...{ log: world.log, database: world.url, logger: silent, version, patient: false },
    ...(maxBatchEvents === undefined ? {} : { maxBatchEvents }),
    maxDifferences: 10,
    signal: AbortSignal.timeout(60_000),
  });
  if (typeof result === 'string') throw new Error(result);
  return result;
}

describe('a rebuild', { timeout: 120_000 }, () => {
  it('makes the tables that were there, in batches of 1, 7 or 500 events', async () => {
    const before = await world.everything();
    const hashes = new Set<string>();
    for (const size of [1, 7, 500, undefined]) {
      const { hash, rows, differences } = await rebuilt(size);
      expect(differences).toEqual([]);
      expect(rows).toBeGreaterThan(50);
      expect(await world.everything()).toEqual(before);
      hashes.add(hash);
    }
    expect(hashes.size).toBe(1);
  });

  it('makes the same indexes and constraints, under the same names', async () => {
    const schema = () =>
      world.query(`select tablename, indexdef from pg_indexes where schemaname = 'read' order by indexdef`);
    const settings = () =>
      world.query(
        `select relname, reloptions from pg_class where relnamespace = 'read'::regnamespace and relkind = 'r' order by 1`,
      );
    const before = [await schema(), await settings()];
    await rebuilt();
    expect([await schema(), await settings()]).toEqual(before);
    expect(await world.query(`select nspname from pg_namespace where nspname like 'read\\_%'`)).toEqual([]);
  });

  it('names each value that differs, each row that was missing, and each that should not be there', async () => {
    await world.query(`update read.users set nickname = 'damaged' where uid = 1`);
    await world.query(`delete from read.friendships where uid = 1 and friend = 2`);
    await world.query(`insert into read.settings values ('nobody', 'set this')`);
    const [friends] = await world.query<{ count: string }>(
      'select count(*) from read.friendships where uid = 1 and friend = 2',
    );
    expect(friends).toEqual({ count: '0' });
    const { differences, counts } = await rebuilt();
    expect(differences).toContainEqual({
      table: 'users',
      key: { uid: 1 },
      column: 'nickname',
      before: 'damaged',
      after: expect.any(String),
    });
    expect(differences).toContainEqual({
      table: 'settings',
      key: { name: 'nobody' },
      before: { name: 'nobody', value: 'set this' },
    });
    expect(counts).toMatchObject({ users: 1, settings: 1 });
    expect((await rebuilt()).differences).toEqual([]);
  });
});
