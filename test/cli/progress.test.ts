import { describe, expect, it } from 'vitest';
import { duration, progressLine, showProgress } from '../../scripts/cli/progress.ts';

describe('the progress of a command', () => {
  it('says how many are done, how many a second, and the time left', () => {
    expect(progressLine({ doing: 'verifying', total: 4_000_000 }, 1_200_000, 52_000)).toBe(
      'verifying 1,200,000 of 4,000,000 events (30 %), 52,000 events/s, 54 s left',
    );
  });

  it('leaves out what is not known', () => {
    expect(progressLine({ doing: 'reading', unit: 'bytes' }, 1_500, 20)).toBe(
      'reading 1,500 bytes, 20 bytes/s',
    );
    expect(progressLine({ doing: 'reading', total: 10 }, 0, 0)).toBe(
      'reading 0 of 10 events (0 %), 0 events/s',
    );
  });

  it.each([
    [0.2, '1 s'],
    [59, '59 s'],
    [192, '3 min 12 s'],
    [7_500, '2 h 5 min'],
  ])('shows %d s as %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });

  it('is written to a terminal at most five times a second, over itself, and is erased at the end', () => {
    const written: string[] = [];
    const progress = showProgress(
      { doing: 'reading', total: 1_000 },
      { isTTY: true, write: (text: string) => written.push(text) > 0 },
    );
    for (let count = 0; count < 1_000; count++) progress.advance(1);
    progress.end();
    expect(written.length).toBeLessThan(10);
    expect(written[0]?.startsWith('\rreading 1 of 1,000 events (0 %)')).toBe(true);
    expect(written.at(-1)).toBe('\r\u001b[K');
  });

  it('is not written to a file or a pipe', () => {
    const written: string[] = [];
    const progress = showProgress(
      { doing: 'reading' },
      { isTTY: false, write: (text: string) => written.push(text) > 0 },
    );
    progress.advance(1);
    progress.end();
    expect(written).toEqual([]);
  });
});
