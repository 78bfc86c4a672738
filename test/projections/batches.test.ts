import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { history, Retelling } from '../support/histories.ts';
import { inBatchesOf, openWorld, type World } from '../support/projecting.ts';

let world: World;

beforeAll(async () => {
  world = await openWorld();
});

afterAll(() => world.close());

describe('a projection', () => {
  it('makes the same tables and pushes of the same events, whatever the batches', async () => {
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
});
