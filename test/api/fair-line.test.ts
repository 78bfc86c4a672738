import { describe, expect, test } from 'vitest';
import { hashPassword } from '../../services/accounts/hashing.ts';
import { FairLine, type FairLineOptions } from '../../services/fair-line.ts';

const tooMany = expect.objectContaining({ reason: 'tooMany' });
const notReady = expect.objectContaining({ reason: 'notReady' });

/** A line whose works end when they are told to; `begun` says whose have begun. */
function lineOf(options: Partial<FairLineOptions> = {}) {
  const line = new FairLine({ atOnce: 1, mostWaiting: 100, patience: 60_000, ...options });
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const come = (of: string, most = 10, signal?: AbortSignal) => {
    const work = () => {
      begun.push(of);
      return new Promise<void>((resolve) => ends.push(resolve));
    };
    return line.take({ of, most }, work, signal);
  };
  /** Ends the work under way, until none begins any more. */
  const endAll = async () => {
    for (let end = ends.shift(); end !== undefined; end = ends.shift()) {
      end();
      await new Promise(setImmediate);
    }
  };
  return { line, begun, come, endAll };
}

describe('a line', () => {
  test('does as many works at once as it is told, and the others later', async () => {
    const { begun, come, endAll, line } = lineOf({ atOnce: 2 });
    const all = Promise.all(['a', 'b', 'c', 'd'].map((of) => come(of)));
    expect(begun).toEqual(['a', 'b']);
    await endAll();
    await all;
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
    expect(line.idle).toBe(true);
  });

  test('serves who comes once before the rest of who came first with many', async () => {
    const { begun, come, endAll } = lineOf();
    const all = Promise.all(
      ['flood', 'flood', 'flood', 'flood', 'tom', 'jerry', 'jerry'].map((of) => come(of)),
    );
    await endAll();
    await all;
    expect(begun).toEqual(['flood', 'tom', 'jerry', 'flood', 'jerry', 'flood', 'flood']);
  });

  test('lets as much of one share run at once as it is told, and others meanwhile', async () => {
    const { begun, come, endAll } = lineOf({ atOnce: 2, eachAtOnce: 1 });
    const all = Promise.all(['a', 'a', 'b', 'c'].map((of) => come(of)));
    expect(begun).toEqual(['a', 'b']);
    await endAll();
    await all;
    expect(begun).toEqual(['a', 'b', 'c', 'a']);
  });

  test('has its first share before all others', async () => {
    const { begun, come, endAll } = lineOf({ first: 'server' });
    const all = Promise.all(['a', 'b', 'server', 'server'].map((of) => come(of)));
    await endAll();
    await all;
    expect(begun).toEqual(['a', 'server', 'server', 'b']);
  });

  test('lets who waits give up, and another have the place', async () => {
    const { begun, come, endAll, line } = lineOf({ mostWaiting: 1 });
    const first = come('a');
    const leaving = new AbortController();
    const given = come('b', 10, leaving.signal);
    leaving.abort(new Error('gone'));
    await expect(given).rejects.toThrow('gone');
    await expect(come('b', 10, leaving.signal)).rejects.toThrow('gone');
    const last = come('c');
    await endAll();
    await Promise.all([first, last]);
    expect(begun).toEqual(['a', 'c']);
    expect(line.idle).toBe(true);
  });

  test('lets as much of one share wait as it is told, and no more', async () => {
    const { come, endAll } = lineOf();
    const waiting = [come('a', 2), come('a', 2), come('a', 2)];
    await expect(come('a', 2)).rejects.toEqual(tooMany);
    const other = come('b', 2);
    await endAll();
    await Promise.all([...waiting, other]);
  });

  test('lets as much wait together as it is told, and no more', async () => {
    const { come, endAll } = lineOf({ mostWaiting: 3 });
    const waiting = ['a', 'b', 'c', 'd'].map((of) => come(of));
    await expect(come('e')).rejects.toEqual(notReady);
    await endAll();
    await Promise.all(waiting);
  });

  test('lets nobody wait for longer than it is told', async () => {
    const { begun, come, endAll } = lineOf({ patience: 50 });
    const first = come('a');
    await expect(come('a')).rejects.toEqual(notReady);
    await expect(come('b')).rejects.toEqual(notReady);
    await endAll();
    await first;
    const again = come('c');
    await endAll();
    await again;
    expect(begun).toEqual(['a', 'c']);
  });

  test('goes on after a work that fails', async () => {
    const { line } = lineOf();
    await expect(
      line.take({ of: 'a', most: 1 }, () => Promise.reject(new Error('it failed'))),
    ).rejects.toThrow('it failed');
    expect(await line.take({ of: 'a', most: 1 }, async () => 'done')).toBe('done');
  });
});

test('a flood of passwords from one address keeps no other waiting, and most of it is refused', async () => {
  let hashed = 0;
  const flood = Promise.allSettled(
    Array.from({ length: 100 }, async () => {
      await hashPassword('secret', { of: 'flood', most: 30 });
      hashed += 1;
    }),
  );
  await hashPassword('secret', { of: 'tom', most: 30 });
  expect(hashed).toBeLessThan(10);
  const outcomes = await flood;
  expect(hashed).toBeGreaterThanOrEqual(31);
  expect(hashed).toBeLessThanOrEqual(33);
  expect(outcomes.at(-1)).toEqual({ status: 'rejected', reason: tooMany });
});
