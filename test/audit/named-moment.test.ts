import { describe, expect, test } from 'vitest';
import { momentOf } from '../../scripts/cli/moments.ts';
import { momentAt } from '../../services/audit/moment.ts';
import { momentAtTime } from '../../services/audit/named-moment.ts';
import type { Position, RecordedEvent } from '../../services/log/log.ts';

const now = Date.UTC(2026, 10, 28, 12);

/** A log whose last event was recorded and decided at these times. */
function logUntil(recorded: number, decided = recorded) {
  const last: Pick<RecordedEvent, 'recorded' | 'metadata'> = { recorded, metadata: { time: decided } };
  return {
    end: async () => '0000000000000001' as Position,
    at: async () => last as RecordedEvent,
  };
}

const empty = { end: async () => '' as Position, at: async () => undefined };

describe('the moment of a time', () => {
  test('that is past is that time, whatever the log holds', async () => {
    expect(await momentAtTime(empty, now - 1, now)).toMatchObject({ time: now - 1, name: `time ${now - 1}` });
  });

  test('that is in the future is refused, with the time that it is here', async () => {
    for (const log of [empty, logUntil(now - 5_000)])
      await expect(momentAtTime(log, now + 60_000, now)).rejects.toThrow(
        /^2026-11-28 .* is in the future, of which nothing is known yet: it is 2026-11-28 /,
      );
  });

  test('that is some seconds ahead, as by another clock, is now', async () => {
    expect(await momentAtTime(logUntil(now - 5_000), now + 10_000, now)).toMatchObject({ time: now });
    await expect(momentAtTime(logUntil(now - 5_000), now + 10_001, now)).rejects.toThrow('in the future');
  });

  test('that the log has reached is that time, although the clock here is slow', async () => {
    const log = logUntil(now + 300_000);
    expect(await momentAtTime(log, now + 200_000, now)).toMatchObject({ time: now + 200_000 });
    expect(await momentAtTime(log, now + 305_000, now)).toMatchObject({ time: now + 300_000 });
    await expect(momentAtTime(log, now + 400_000, now)).rejects.toThrow('in the future');
  });

  test('is in the future, although the clocks behind the last event were in the year 2100', async () => {
    const log = logUntil(Date.UTC(2100, 0, 1));
    await expect(momentAtTime(log, Date.UTC(2050, 0, 1), now)).rejects.toThrow('in the future');
  });

  test('is in the future, although a process whose clock is fast wrote it into an event', async () => {
    const log = logUntil(now - 5_000, now + 3_600_000);
    await expect(momentAtTime(log, now + 60_000, now)).rejects.toThrow('in the future');
  });
});

describe('a moment', () => {
  const happened = (time: number, recorded = time) => ({
    ...{ position: '0000000000000001' as Position, recorded },
    metadata: { time },
  });

  test('includes what had happened by then, by the earlier of two clocks', () => {
    const moment = momentAt(now - 60_000, now);
    expect(moment.includes(happened(now - 60_000))).toBe(true);
    expect(moment.includes(happened(now - 60_000, now))).toBe(true);
    expect(moment.includes(happened(now, now - 60_000))).toBe(true);
    expect(moment.includes(happened(now - 59_999))).toBe(false);
  });

  test('is not ended by an event whose clocks were more than a day ahead of the present', () => {
    const moment = momentAt(now - 60_000, now);
    expect(moment.includes(happened(now + 24 * 3_600_000))).toBe(false);
    expect(moment.includes(happened(now + 24 * 3_600_000 + 1))).toBe(true);
    expect(moment.includes(happened(now - 1, Date.UTC(2100, 0, 1)))).toBe(false);
  });
});

test('an option names a moment by the same rule', async () => {
  await expect(momentOf(empty, '2999-01-01T00:00:00Z')).rejects.toThrow('is in the future');
  expect(await momentOf(empty, '2h')).toMatchObject({ past: true });
});
