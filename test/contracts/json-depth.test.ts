import { describe, expect, test } from 'vitest';
import { isDeeperThan, maxJsonLevels } from '../../contracts/json-depth.ts';

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

describe('a JSON text', () => {
  test('may have up to 64 levels', () => {
    expect(maxJsonLevels).toBe(64);
    expect(isDeeperThan(nested(64))).toBe(false);
    expect(isDeeperThan(nested(65))).toBe(true);
  });

  test('has levels of lists and objects together', () => {
    const text = `${'{"a":['.repeat(2)}${']}'.repeat(2)}`;
    expect(isDeeperThan(text, 4)).toBe(false);
    expect(isDeeperThan(text, 3)).toBe(true);
  });

  test('has no levels in its texts, with any escapes', () => {
    for (const value of ['[[[', '"[[[', '\\', '\\"[[[', '\\\\[[[']) {
      expect(isDeeperThan(JSON.stringify([value]), 1), value).toBe(false);
    }
    expect(isDeeperThan('["\\\\",[1]]', 1)).toBe(true);
  });

  test('is as wide as it likes', () => {
    expect(isDeeperThan(`[${'[],'.repeat(100_000)}[]]`, 2)).toBe(false);
  });
});
