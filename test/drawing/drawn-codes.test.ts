import { expect, test } from 'vitest';
import { keepDrawnCodes } from '../../services/drawing/drawn-codes.ts';

test('QR codes of 8 MB are kept; with one more the least recently used is forgotten', () => {
  const codes = keepDrawnCodes();
  /** With its content, of 4 KB. */
  const picture = new Uint8Array(4096 - 2 * 4);
  const content = (number: number) => `${number}`.padStart(4, '0');
  for (let number = 0; number < 2_048; number++) codes.set(content(number), picture);
  expect(codes.get(content(0))).toBe(picture);
  codes.set(content(2_048), picture);
  expect(codes.get(content(0))).toBe(picture);
  expect(codes.get(content(1))).toBeUndefined();
  expect(codes.size).toBe(2_048);
});
