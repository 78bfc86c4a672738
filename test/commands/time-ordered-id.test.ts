import { validate, version } from 'uuid';
import { expect, test } from 'vitest';
import { timeOrderedId } from '../../services/time-ordered-id.ts';

test('ids of one process are UUIDs of version 7 that grow, over any number of blocks of random bytes', () => {
  const ids = Array.from({ length: 5_000 }, timeOrderedId);
  expect(ids.every((id) => validate(id) && version(id) === 7)).toBe(true);
  expect(ids).toEqual(ids.toSorted());
  expect(new Set(ids.map((id) => id.slice(-12))).size).toBe(ids.length);
});
