import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLag } from '../../services/api/lag.ts';
import { startOfLog } from '../../services/log/log.ts';
import { registered } from '../support/events.ts';
import { openWorld, type World } from '../support/projecting.ts';

let world: World;

beforeEach(async () => {
  world = await openWorld();
});

afterEach(async () => {
  vi.useRealTimers();
  await world.close();
});

test("a clock of this process that differs from the log's does not make read models seem to lag", async () => {
  await world.given(registered(1, '甲'));
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 120_000 });
  const lag = createLag(world.log);
  expect(await lag(startOfLog)).toBeLessThan(5_000);
  expect(await lag(await world.log.end())).toBe(0);
});

test('an event that is not projected makes the lag grow, until it is', async () => {
  await world.given(registered(1, '甲'));
  const lag = createLag(world.log);
  await lag(startOfLog);
  await vi.waitFor(async () => expect(await lag(startOfLog)).toBeGreaterThan(200));
  const first = await world.log.end();
  await world.given(registered(2, '乙'));
  expect(await lag(first)).toBeLessThan(200);
});

test('read models far behind a busy log lag by the time between their checkpoint and its end', async () => {
  await world.given(registered(1, '甲'), registered(2, '乙'), registered(3, '丙'));
  await world.query(
    `update log.events set recorded = recorded - interval '1 minute' where stream = 'user-1'`,
  );
  expect(await createLag(world.log)(startOfLog)).toBeGreaterThan(59_000);
});
