import { afterEach, describe, expect, it, vi } from 'vitest';
import { isTimeFault, timeOf } from '../../scripts/cli/times.ts';

const now = Date.UTC(2026, 10, 27, 9, 30);

describe('a time given to a command', () => {
  it.each([
    ['90s', 90_000],
    ['30m', 1_800_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
    ['1w', 604_800_000],
  ])('%s counts back from now', (text, ms) => {
    expect(timeOf(text, now)).toBe(now - ms);
  });

  it.each([
    ['2026-11-27T10:00Z', Date.UTC(2026, 10, 27, 10)],
    ['2026-11-27 10:00:30.5Z', Date.UTC(2026, 10, 27, 10, 0, 30, 500)],
    ['2026-11-27T10:00:30+08:00', Date.UTC(2026, 10, 27, 2, 0, 30)],
    ['2026-11-27 10:00:30 +08:00', Date.UTC(2026, 10, 27, 2, 0, 30)],
    ['2026-11-27T10:00:30-0330', Date.UTC(2026, 10, 27, 13, 30, 30)],
  ])('%s is of the zone that it names', (text, time) => {
    expect(timeOf(text, now)).toBe(time);
  });

  it.each([
    ['2026-11-27', new Date(2026, 10, 27)],
    ['2026-11-27T10:00', new Date(2026, 10, 27, 10)],
    ['2028-02-29 23:59:59', new Date(2028, 1, 29, 23, 59, 59)],
  ])('%s is local', (text, date) => {
    expect(timeOf(text, now)).toBe(date.getTime());
  });

  it.each([
    '',
    'yesterday',
    '2',
    '2y',
    '2026-11',
    '2026-13-01',
    '2026-02-31',
    '2026-11-27T24:30',
    '27.11.2026',
    '999999999w',
    '999999999d',
  ])('"%s" is refused with examples of what is a time', (text) => {
    const read = timeOf(text, now);
    expect(isTimeFault(read) && read.fault).toMatch(/^".*" is no time.*2026-11-27T10:00/);
  });

  describe('where clocks go forward', () => {
    afterEach(() => void vi.unstubAllEnvs());

    it.each([
      ['America/New_York', '2026-03-08T02:30', undefined],
      ['America/New_York', '2026-03-08 02:00:00', undefined],
      ['America/New_York', '2026-03-08T02:30-05:00', Date.UTC(2026, 2, 8, 7, 30)],
      ['America/New_York', '2026-03-08T03:00', Date.UTC(2026, 2, 8, 7)],
      ['America/New_York', '2026-11-01T01:30', Date.UTC(2026, 10, 1, 5, 30)],
      // This day begins at one o'clock.
      ['Asia/Beirut', '2026-03-29', Date.UTC(2026, 2, 28, 22)],
    ])('a local time that they pass over is refused, and no other one: in %s %s', (zone, text, time) => {
      vi.stubEnv('TZ', zone);
      const read = timeOf(text, now);
      expect(isTimeFault(read) ? undefined : read).toBe(time);
      if (isTimeFault(read)) expect(read.fault).toContain('clocks went forward over it; give its zone');
    });
  });
});
