import { expect, test } from 'vitest';
import { growingCache } from '../../services/growing-cache.ts';

test('a cache keeps up to its number of entries, those that were used last', () => {
  const cache = growingCache<string, number>(3);
  for (const [index, key] of ['a', 'b', 'c'].entries()) cache.set(key, index);
  cache.get('a');
  cache.set('d', 3);
  expect([...cache.keys()].sort()).toEqual(['a', 'c', 'd']);
  expect(cache.get('b')).toBeUndefined();
});
