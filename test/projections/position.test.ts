import { describe, expect, it } from 'vitest';
import { comparePositions, formatPosition, parsePosition } from '../../contracts/push/position.ts';

describe("a push's position", () => {
  it('is read as it was written, in the form of either log', () => {
    for (const place of ['', '0000000000000042', 'C:12/P:12', 'a.b.3']) {
      const position = { epoch: 'f00d', place, number: 7 };
      expect(parsePosition(formatPosition(position))).toEqual(position);
    }
  });

  it('is not read from any other text', () => {
    for (const text of [
      '',
      '1',
      'f00d.1',
      'f00d.1.x',
      'f00d.1.-1',
      'F.1.1',
      `f.${'9'.repeat(400)}.1`,
      'f.\0.1',
    ]) {
      expect(parsePosition(text)).toBeUndefined();
    }
  });

  it('comes after that of an earlier event, and after an earlier push of the same', () => {
    const at = (place: string, number: number) => ({ epoch: 'f', place, number });
    expect(comparePositions(at('1', 9), at('2', 0))).toBeLessThan(0);
    expect(comparePositions(at('2', 0), at('2', 1))).toBeLessThan(0);
    expect(comparePositions(at('2', 1), at('2', 1))).toBe(0);
    expect(comparePositions(at('3', 0), at('2', 5))).toBeGreaterThan(0);
  });
});
