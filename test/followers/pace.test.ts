import { expect, it } from 'vitest';
import { Pace } from '../../services/followers/pace.ts';

it('the pace is that of the last ten seconds, and knows how large an event is', () => {
  let now = 0;
  const pace = new Pace(() => now);
  expect([pace.perSecond, pace.extentOfEvent]).toEqual([0, undefined]);
  pace.applied(1_000_000, 1);
  now = 60_000;
  for (let second = 0; second <= 5; second++) {
    now += 1_000;
    pace.applied(100, 5_000);
  }
  expect(pace.perSecond).toBe(120);
  expect(pace.extentOfEvent).toBe(50);
  now += 20_000;
  expect([pace.perSecond, pace.extentOfEvent]).toEqual([0, undefined]);
});

it('the pace counts every batch of one second', () => {
  const pace = new Pace(() => 0);
  for (let count = 0; count < 10_000; count++) pace.applied(1, 1);
  expect(pace.perSecond).toBe(10_000);
});
