import { expect, test } from 'vitest';
import { compareClock } from '../../scripts/doctor/clock.ts';

test.each([
  [900, 0, 'ok'],
  [-900, 0, 'ok'],
  [1_000, 0, 'warning'],
  [1_900, 1_000, 'ok'],
  [-299_999, 0, 'warning'],
  [300_000, 0, 'fault'],
])(
  'a clock that is %i ms off, compared with an accuracy of %i ms, is %s',
  (differenceMs, accuracyMs, state) => {
    expect(compareClock('Postgres', differenceMs, accuracyMs).state).toBe(state);
  },
);

test('a clock that differs is named with its side', () => {
  expect(compareClock('Postgres', 90_000, 0).found).toBe('the one of Postgres is 1 min 30 s behind ours');
  expect(compareClock('Postgres', -90_000, 0).found).toBe('the one of Postgres is 1 min 30 s ahead of ours');
});
