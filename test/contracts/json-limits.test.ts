import { describe, expect, test } from 'vitest';
import { exceedsJsonLimits, isDeeperThan, maxJsonLevels, maxJsonParts } from '../../contracts/json-limits.ts';
import { jsonObject, sentObject } from '../../contracts/push/protocol.ts';

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

  test('may have 2,000 names, lists and objects together, and any number of other values', () => {
    expect(maxJsonParts).toBe(2_000);
    const named = (names: number) => `{${'"a:[{":[],'.repeat(names)}"b":1}`;
    expect(exceedsJsonLimits(named(999))).toBe(false);
    expect(exceedsJsonLimits(named(1_000))).toBe(true);
    expect(exceedsJsonLimits(`[${'[],'.repeat(1_998)}[]]`)).toBe(false);
    expect(exceedsJsonLimits(`[${'[],'.repeat(1_999)}[]]`)).toBe(true);
    expect(exceedsJsonLimits(`[${'1,"",'.repeat(100_000)}1]`)).toBe(false);
    expect(exceedsJsonLimits(nested(64))).toBe(false);
    expect(exceedsJsonLimits(nested(65))).toBe(true);
  });

  test('of a server may have any number of names', () => {
    expect(isDeeperThan(`{${'"a":[],'.repeat(100_000)}"b":1}`)).toBe(false);
  });
});

test('a push may have more names than a client may send', () => {
  const data = Object.fromEntries(Array.from({ length: maxJsonParts }, (_, index) => [`n${index}`, index]));
  const text = JSON.stringify(data);
  expect(jsonObject(text)).toEqual(data);
  expect(sentObject(text)).toBeUndefined();
});
