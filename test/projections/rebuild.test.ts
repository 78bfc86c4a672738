import fc from 'fast-check';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Comparison } from '../../projections/rebuild/comparison.ts';
import { lockRebuild, rebuild } from '../../projections/rebuild/rebuild.ts';
import { readModelsVersion } from '../../projections/rebuild/version.ts';
import { startProjector } from '../../projections/runner/projector.ts';
import { between, sent } from '../support/events.ts';
import { groupId, history, Retelling } from '../support/histories.ts';
import { caughtUp, openWorld, silent, type World } from '../support/projecting.ts';
import { wrapLog } from '../support/wrapped-log.ts';

let world: World;
const version = await readModelsVersion();

beforeAll(async () => {
  world = await openWorld();
  const steps = fc.sample(history, { numRuns: 12, seed: 7 }).flat();
  await world.given(...new Retelling(steps).events);
  await world.project();
});

afterAll(() => world.close());

async function rebuilt(maxBatchEvents?: number): Promise<Comparison> {
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
    await world.given(sent(between(1, 3), 1, 900_000, 'lost'));
    await world.project();
    await world.query(`update read.users set nickname = 'damaged' where uid = 1`);
    await world.query('delete from read.messages where mid = 900000');
    await world.query(`insert into read.settings values ('nobody', 'set this')`);
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
    expect(differences).toContainEqual({
      table: 'messages',
      key: { conversation: 'f1-3', sequence: expect.any(Number) },
      after: expect.objectContaining({ mid: 900_000, content: 'lost' }),
    });
    expect(counts).toEqual({ users: 1, messages: 1, settings: 1 });
    expect((await rebuilt()).differences).toEqual([]);
  });

  it('gives a message whose mid another one had first the same mid as the projector, whatever the batches', async () => {
    await world.given(sent(between(1, 2), 1, 900_010, 'first'), sent(between(1, 3), 1, 900_010, 'second'));
    await world.given(sent(between(1, 2), 2, 900_010, 'third'), sent(between(1, 3), 1, 900_011, 'last'));
    await world.project();
    for (const size of [1, 2, undefined]) expect((await rebuilt(size)).counts).toEqual({});
  });

  it('goes on with the history where its connections broke', async () => {
    const reads: (string | undefined)[] = [];
    const log = wrapLog(world.log, {
      readAll: (options) => {
        reads.push(options?.after);
        return world.log.readAll(options);
      },
    });
    let broken: Promise<unknown> | undefined;
    const onFilled = () => {
      broken ??= world.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and application_name = 'bubble-im rebuild lease'`,
      );
    };
    const result = await rebuild({
      ...{ log, database: world.url, logger: silent, version, patient: false, maxDifferences: 10 },
      ...{ maxBatchEvents: 1, onFilled, signal: AbortSignal.timeout(60_000) },
    });
    expect(await broken).toHaveLength(1);
    expect(result).toMatchObject({ counts: {} });
    expect(reads).toEqual(['', expect.stringMatching(/^\d+$/)]);
  });

  it('applies all events before one that it cannot apply, and names that one', async () => {
    const before = await world.given(sent(between(1, 2), 1, 900_020, 'sound'));
    await world.given(sent(between(1, 3), 1, 900_021, 'refused'), sent(between(1, 2), 1, 900_022, 'after'));
    await world.project();
    await world.query(
      `alter table read.messages add constraint refusing check (content <> 'refused') not valid`,
    );
    for (const size of [1, 2, undefined]) {
      await expect(rebuilt(size)).rejects.toThrow(/MessageSent at conversation-f1-3@\d+ .*refusing/);
      expect(
        await world.query('select mid from read_next.messages where mid between 900020 and 900099'),
      ).toEqual([{ mid: '900020' }]);
      expect(await world.query(`select position from followers.checkpoint where name = 'read-next'`)).toEqual(
        [{ position: before }],
      );
      await world.query('drop schema read_next cascade');
    }
    await world.query('alter table read.messages drop constraint refusing');
    expect((await rebuilt()).counts).toEqual({});
  });

  it('has the projector forget the rows that it remembers of the former set', async () => {
    const conversation = between(1, 2);
    await world.given(sent(conversation, 1, 900_001, 'a'));
    await world.project();
    await world.query('update read.conversations set counted = counted + 1000 where conversation = $1', [
      conversation,
    ]);
    const { log, url: database, bus } = world;
    const projector = await startProjector({ log, database, bus, logger: silent });
    try {
      await world.given(sent(conversation, 1, 900_002, 'b'));
      await caughtUp(world, projector);
      expect((await rebuilt()).counts).toEqual({ conversations: 1, messages: 1 });
      await world.given(sent(conversation, 1, 900_003, 'c'));
      await caughtUp(world, projector);
    } finally {
      await projector.stop();
    }
    expect((await rebuilt()).differences).toEqual([]);
  });

  it('reads no more of the log than the served read models, also while no projector works', async () => {
    const [before] = await world.query<{ position: string }>(
      `select position from followers.checkpoint where name = 'read'`,
    );
    await world.given(sent(between(1, 2), 2, 900_004, 'later'));
    expect((await rebuilt()).counts).toEqual({});
    expect(await world.query('select mid from read.messages where mid = 900004')).toEqual([]);
    expect(await world.query(`select position from followers.checkpoint where name = 'read'`)).toEqual([
      before,
    ]);
    await world.project();
    expect(await world.query('select mid from read.messages where mid = 900004')).toHaveLength(1);
  });

  it('shows a transaction one of the two sets: it waits for its end, while others are answered', async () => {
    await world.query(`update read.users set nickname = 'wrong' where uid = 1`);
    await world.query(`update read.groups set name = 'wrong' where gid = $1`, [groupId]);
    const holder = new Client({ connectionString: world.url });
    await holder.connect();
    try {
      await holder.query('begin');
      const user = await holder.query('select nickname from read.users where uid = 1');
      const rebuilding = rebuilt();
      const waiting = () =>
        world.query(
          `select from pg_locks where not granted and mode = 'AccessExclusiveLock' and relation = 'read.users'::regclass`,
        );
      await expect.poll(waiting, { interval: 5, timeout: 60_000 }).toHaveLength(1);
      const begun = performance.now();
      await world.query('select from read.users u join read.messages m on m.sender = u.uid limit 1');
      expect(performance.now() - begun).toBeLessThan(2_000);
      const group = await holder.query('select name from read.groups where gid = $1', [groupId]);
      await holder.query('commit');
      expect([user.rows, group.rows]).toEqual([[{ nickname: 'wrong' }], [{ name: 'wrong' }]]);
      expect((await rebuilding).counts).toEqual({ users: 1, groups: 1 });
    } finally {
      await holder.end();
    }
  });

  it('is refused while another process rebuilds', async () => {
    const holder = new Client({ connectionString: world.url });
    await holder.connect();
    try {
      expect(await lockRebuild(holder)).toBe(true);
      await expect(rebuilt()).rejects.toThrow('busy');
    } finally {
      await holder.end();
    }
  });
});
