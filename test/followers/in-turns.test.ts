import { expect, it } from 'vitest';
import { mapInTurns } from '../../services/followers/in-turns.ts';

it('a long list is worked on in turns, between which what else waits is done', async () => {
  const done: (number | string)[] = [];
  setImmediate(() => done.push('else'));
  const items = Array.from({ length: 120 }, (_, index) => index);
  const squares = await mapInTurns(items, (item, index) => {
    done.push(index);
    return item ** 2;
  });
  expect(squares).toEqual(items.map((item) => item ** 2));
  expect(done.indexOf('else')).toBe(50);
});
