import { expect, it, onTestFinished } from 'vitest';
import { categories } from '../../contracts/events/index.ts';
import { Yielding } from '../../services/followers/yielding.ts';
import { registered } from '../support/events.ts';
import { openWorld } from '../support/projecting.ts';

it.each([
  ['a fifth of the time if processors are idle', 0.5, 200],
  ['a fiftieth of it if none is', 0.1, 2_450],
])('a follower that yields works, while the log grows, %s', async (_, idleShare, restMs) => {
  const world = await openWorld();
  onTestFinished(() => world.close());
  let total = 0;
  const yielding = new Yielding(world.log, categories, undefined, () => {
    total += 1_000;
    return { total, idle: total * idleShare };
  });
  await world.given(registered(1, '甲'));
  expect(await yielding.restMs(50)).toBeCloseTo(restMs);
  expect(await yielding.restMs(50)).toBe(0);
  await world.given(registered(2, '乙'));
  expect(await yielding.restMs(1_000)).toBe(3_000);
  expect(await yielding.restMs(1_000)).toBe(0);
  await world.given(registered(3, '丙'));
  expect(await yielding.restMs(1)).toBe(100);
  expect(await yielding.restMs(1)).toBe(0);
});

it('a follower that yields reads how busy the processors of the machine are', async () => {
  const world = await openWorld();
  onTestFinished(() => world.close());
  const yielding = new Yielding(world.log, categories);
  await world.given(registered(1, '甲'));
  const restMs = await yielding.restMs(50);
  expect(restMs).toBeGreaterThanOrEqual(200);
  expect(restMs).toBeLessThanOrEqual(2_450);
});

it('a follower that yields leaves nearly all of the time to a preferred one that is behind', async () => {
  const world = await openWorld();
  onTestFinished(() => world.close());
  let lagMs = 60_000;
  const yielding = new Yielding(world.log, categories, { lag: async () => lagMs });
  await world.given(registered(1, '甲'));
  expect(await yielding.restMs(10)).toBeCloseTo(490);
  expect(await yielding.restMs(10)).toBeCloseTo(490);
  lagMs = 0;
  expect(await yielding.restMs(10)).toBe(0);
});
