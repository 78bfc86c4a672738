import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tick } from '../../services/bus/bus.ts';
import { created, gid, mid, uid } from '../support/events.ts';
import { history, Retelling } from '../support/histories.ts';
import { inBatchesOf, openWorld, type World } from '../support/projecting.ts';

let world: World;

beforeAll(async () => {
  world = await openWorld();
});

afterAll(() => world.close());

describe('a projection', () => {
  it('makes the same tables and pushes of the same events, however they are batched', async () => {
    const steps = fc.sample(history, { numRuns: 12, seed: 7 }).flat();
    await world.given(...new Retelling(steps).events);
    await world.project(inBatchesOf(1, world.log));
    const one = await world.everything();
    for (const size of [2, 7, 50, 1000]) {
      await world.forget();
      await world.project(inBatchesOf(size, world.log));
      expect(await world.everything()).toEqual(one);
    }
    await world.forget();
    await world.project();
    expect(await world.everything()).toEqual(one);
  }, 60_000);

  it('splits what is too much for one transaction, with the same result', async () => {
    const newcomers = (from: number) => Array.from({ length: 1_000 }, (_, index) => uid(from + index));
    const before = await world.given(created(60, '大群', 1));
    for (let thousand = 1; thousand <= 6; thousand++) {
      await world.given({
        type: 'MembersAdded',
        data: {
          gid: gid(60),
          by: uid(1),
          members: newcomers(thousand * 1_000),
          noticeMid: mid(900_000 + thousand),
        },
      });
    }
    const ticks: Tick[] = [];
    const stop = world.bus.onTick((tick) => ticks.push(tick));
    await world.project(inBatchesOf(1_000, world.log));
    stop();
    expect(ticks.filter(({ checkpoint }) => checkpoint > before).length).toBeGreaterThan(1);
    expect(await world.query('select next_index, member_count from read.groups where gid = 60')).toEqual([
      { next_index: '6002', member_count: '6001' },
    ]);
    expect(await world.query('select count(*) from read.group_members where gid = 60')).toEqual([
      { count: '6001' },
    ]);
  });
});
