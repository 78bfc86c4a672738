import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { hashPassword } from '../../services/accounts/hashing.ts';
import { FairQueue, type FairQueueOptions } from '../../services/fair-queue.ts';

const tooMany = expect.objectContaining({ reason: 'tooMany' });
const notReady = expect.objectContaining({ reason: 'notReady' });

/** A queue of work that ends only by `endAll`; `started` holds the shares in the order in which their work started. */
function queueOf(options: Partial<FairQueueOptions> = {}) {
  const queue = new FairQueue({ maxRunning: 1, maxWaiting: 100, timeoutMs: 60_000, ...options });
  const started: string[] = [];
  const ends: (() => void)[] = [];
  const run = (of: string, maxWaiting = 10, signal?: AbortSignal) => {
    const work = () => {
      started.push(of);
      return new Promise<void>((resolve) => ends.push(resolve));
    };
    return queue.run({ of, maxWaiting }, work, signal);
  };
  /** Ends the running work, until no more is started. */
  const endAll = async () => {
    for (let end = ends.shift(); end !== undefined; end = ends.shift()) {
      end();
      await new Promise(setImmediate);
    }
  };
  return { queue, started, run, endAll };
}

describe('a fair queue', () => {
  test('runs maxRunning pieces of work at once, and the others later', async () => {
    const { started, run, endAll, queue } = queueOf({ maxRunning: 2 });
    const all = Promise.all(['a', 'b', 'c', 'd'].map((of) => run(of)));
    expect(started).toEqual(['a', 'b']);
    await endAll();
    await all;
    expect(started).toEqual(['a', 'b', 'c', 'd']);
    expect(queue.idle).toBe(true);
  });

  test('serves a share with one piece before the rest of a share with many', async () => {
    const { started, run, endAll } = queueOf();
    const all = Promise.all(
      ['flood', 'flood', 'flood', 'flood', 'tom', 'jerry', 'jerry'].map((of) => run(of)),
    );
    await endAll();
    await all;
    expect(started).toEqual(['flood', 'tom', 'jerry', 'flood', 'jerry', 'flood', 'flood']);
  });

  test('runs up to maxRunningEach pieces of one share at once, beside other shares', async () => {
    const { started, run, endAll } = queueOf({ maxRunning: 2, maxRunningEach: 1 });
    const all = Promise.all(['a', 'a', 'b', 'c'].map((of) => run(of)));
    expect(started).toEqual(['a', 'b']);
    await endAll();
    await all;
    expect(started).toEqual(['a', 'b', 'c', 'a']);
  });

  test('serves its first share before all others', async () => {
    const { started, run, endAll } = queueOf({ first: 'server' });
    const all = Promise.all(['a', 'b', 'server', 'server'].map((of) => run(of)));
    await endAll();
    await all;
    expect(started).toEqual(['a', 'server', 'server', 'b']);
  });

  test('removes waiting work whose signal is aborted, which makes room for other work', async () => {
    const { started, run, endAll, queue } = queueOf({ maxWaiting: 1 });
    const first = run('a');
    const leaving = new AbortController();
    const given = run('b', 10, leaving.signal);
    leaving.abort(new Error('gone'));
    await expect(given).rejects.toThrow('gone');
    await expect(run('b', 10, leaving.signal)).rejects.toThrow('gone');
    const last = run('c');
    await endAll();
    await Promise.all([first, last]);
    expect(started).toEqual(['a', 'c']);
    expect(queue.idle).toBe(true);
  });

  test('refuses more waiting work of one share than the share allows', async () => {
    const { run, endAll } = queueOf();
    const waiting = [run('a', 2), run('a', 2), run('a', 2)];
    await expect(run('a', 2)).rejects.toEqual(tooMany);
    const other = run('b', 2);
    await endAll();
    await Promise.all([...waiting, other]);
  });

  test('refuses more waiting work of all shares than maxWaiting', async () => {
    const { run, endAll } = queueOf({ maxWaiting: 3 });
    const waiting = ['a', 'b', 'c', 'd'].map((of) => run(of));
    await expect(run('e')).rejects.toEqual(notReady);
    await endAll();
    await Promise.all(waiting);
  });

  test('refuses work that has waited for timeoutMs', async () => {
    const { started, run, endAll } = queueOf({ timeoutMs: 50 });
    const first = run('a');
    await expect(run('a')).rejects.toEqual(notReady);
    await expect(run('b')).rejects.toEqual(notReady);
    await endAll();
    await first;
    const again = run('c');
    await endAll();
    await again;
    expect(started).toEqual(['a', 'c']);
  });

  test.each([
    [1, 100],
    [3, 50],
  ])(
    'keeps the place of work empty for %i times as long as the work took, up to maxRestMs',
    async (restFactor, took) => {
      const { queue } = queueOf({ maxRestMs: 1_000, restFactor });
      const first = queue.run({ of: 'a', maxWaiting: 1 }, () => delay(took));
      const next = queue.run({ of: 'a', maxWaiting: 1 }, async () => performance.now());
      await first;
      const ended = performance.now();
      expect((await next) - ended).toBeGreaterThan(took * restFactor * 0.8);
    },
  );

  test('runs the next work after one that fails', async () => {
    const { queue } = queueOf();
    await expect(
      queue.run({ of: 'a', maxWaiting: 1 }, () => Promise.reject(new Error('it failed'))),
    ).rejects.toThrow('it failed');
    expect(await queue.run({ of: 'a', maxWaiting: 1 }, async () => 'done')).toBe('done');
  });
});

test('a password is hashed at once on each core, but not on more than three', async () => {
  const share = { of: 'tom', maxWaiting: 0 };
  const outcomes = await Promise.allSettled(Array.from({ length: 4 }, () => hashPassword('secret', share)));
  const hashed = outcomes.filter(({ status }) => status === 'fulfilled');
  expect(hashed).toHaveLength(Math.min(3, availableParallelism()));
  expect(outcomes.at(-1)).toEqual({ status: 'rejected', reason: tooMany });
});

test('a flood of passwords from one address delays nobody else, and most of it is refused', async () => {
  let hashed = 0;
  const flood = Promise.allSettled(
    Array.from({ length: 100 }, async () => {
      await hashPassword('secret', { of: 'flood', maxWaiting: 30 });
      hashed += 1;
    }),
  );
  await hashPassword('secret', { of: 'tom', maxWaiting: 30 });
  expect(hashed).toBeLessThan(10);
  const outcomes = await flood;
  expect(hashed).toBeGreaterThanOrEqual(31);
  expect(hashed).toBeLessThanOrEqual(33);
  expect(outcomes.at(-1)).toEqual({ status: 'rejected', reason: tooMany });
});
