import { expect, test } from 'vitest';
import { localTime, utcTime } from '../../services/audit/local-time.ts';

test('a time is written by UTC and by the clock of this machine', () => {
  const time = Date.UTC(2026, 10, 27, 15, 3, 12);
  expect(utcTime(time)).toBe('2026-11-27T15:03:12.000Z');
  expect(new Date(localTime(time)).getTime()).toBe(time);
});

test('of a time that no date has the number is written, as an event that was written by hand may have it', () => {
  expect(utcTime(9e15)).toBe('9000000000000000');
  expect(localTime(9e15)).toBe('9000000000000000');
});
