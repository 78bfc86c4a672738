import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { onceIdle } from '../../services/once-idle.ts';

/** Longer than two looks at whether the program is busy. */
const busyMs = 2_200;

test('what stops all else is done once the program has nothing to do, and once', {
  timeout: 30_000,
}, async () => {
  let done = 0;
  onceIdle(() => {
    done++;
  });
  const until = performance.now() + busyMs;
  while (performance.now() < until) await nextTurn();
  expect(done).toBe(0);
  await expect.poll(() => done, { timeout: 20_000 }).toBe(1);
});
