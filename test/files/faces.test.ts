import { expect, test } from 'vitest';
import { createFaces } from '../../services/files/faces.ts';

test('2,000 drawn faces are kept; with one more the least recently used is drawn again', async () => {
  const faces = createFaces();
  // Of one pixel each, as a letter takes milliseconds.
  const draw = (number: number) => faces.draw('', 0, 1 + number / 10_000);
  // The first three one after the other: of those that are drawn at once, any may be the least recently used.
  const drawn = [await draw(0), await draw(1), await draw(2)];
  await Promise.all(Array.from({ length: 1_997 }, (_, number) => draw(3 + number)));
  expect(await draw(0)).toBe(drawn[0]);
  await draw(2_000);
  expect(await draw(2)).toBe(drawn[2]);
  expect(await draw(1)).not.toBe(drawn[1]);
});
