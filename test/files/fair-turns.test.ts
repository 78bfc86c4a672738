import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { FairTurns } from '../../services/files/fair-turns.ts';

/** Turns whose work ends when the test says so, with who began in which order. */
function held(atOnce: number, maxWaiting = 100, maxWaitingEach = 10) {
  const turns = new FairTurns({ atOnce, maxWaiting, maxWaitingEach });
  const began: string[] = [];
  const ends = new Map<string, () => void>();
  const ask = (person: string, work: string, signal?: AbortSignal) =>
    turns.take(
      person,
      async () => {
        began.push(work);
        await new Promise<void>((resolve) => ends.set(work, resolve));
      },
      signal,
    );
  const end = async (work: string) => {
    ends.get(work)?.();
    await setImmediate();
  };
  return { began, ask, end };
}

describe('fair turns', () => {
  test('let each person work once at a time, and few persons', async () => {
    const { began, ask, end } = held(2);
    const all = [ask('a', 'a1'), ask('a', 'a2'), ask('b', 'b1'), ask('c', 'c1')];
    await setImmediate();
    expect(began).toEqual(['a1', 'b1']);
    await end('b1');
    expect(began).toEqual(['a1', 'b1', 'c1']);
    await end('a1');
    expect(began).toEqual(['a1', 'b1', 'c1', 'a2']);
    await end('c1');
    await end('a2');
    await Promise.all(all);
  });

  test('put who asks much behind who asks for the first time', async () => {
    const { began, ask, end } = held(1);
    const all = [...['a1', 'a2', 'a3', 'a4'].map((work) => ask('a', work)), ask('b', 'b1'), ask('c', 'c1')];
    await setImmediate();
    for (const work of ['a1', 'b1', 'c1', 'a2', 'a3', 'a4']) {
      expect(began.at(-1)).toBe(work);
      await end(work);
    }
    await Promise.all(all);
  });

  test('refuse more than may wait, of one person and of all', async () => {
    const { ask, end } = held(1, 3, 2);
    const all = [ask('a', 'a1'), ask('a', 'a2'), ask('a', 'a3')];
    await expect(ask('a', 'a4')).rejects.toMatchObject({ reason: 'tooMany' });
    all.push(ask('b', 'b1'));
    await expect(ask('c', 'c1')).rejects.toMatchObject({ reason: 'tooMany' });
    for (const work of ['a1', 'b1', 'a2', 'a3']) await end(work);
    await Promise.all(all);
  });

  test('are given up while they have not come, and make room', async () => {
    const { began, ask, end } = held(1, 1);
    const first = ask('a', 'a1');
    const leaving = new AbortController();
    const given = ask('b', 'b1', leaving.signal);
    leaving.abort(new Error('gone'));
    await expect(given).rejects.toThrow('gone');
    const last = ask('c', 'c1');
    await end('a1');
    await end('c1');
    await Promise.all([first, last]);
    expect(began).toEqual(['a1', 'c1']);
  });

  test('go on after work that failed', async () => {
    const turns = new FairTurns({ atOnce: 1, maxWaiting: 9, maxWaitingEach: 9 });
    await expect(turns.take('a', () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    expect(await turns.take('a', async () => 'done')).toBe('done');
  });
});
