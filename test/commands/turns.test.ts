import { afterEach, describe, expect, it, vi } from 'vitest';
import { Turns } from '../../services/commands/turns.ts';

afterEach(() => {
  vi.useRealTimers();
});

describe('turns', () => {
  it('are taken one after the other, in the order of asking', async () => {
    const turns = new Turns();
    const told: string[] = [];
    const work = (name: string) => async () => {
      told.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      told.push(`${name} ends`);
      return name;
    };
    const results = await Promise.all(['a', 'b', 'c'].map((name) => turns.take('x', work(name))));
    expect(results).toEqual(['a', 'b', 'c']);
    expect(told).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  });

  it('go on after one that failed', async () => {
    const turns = new Turns();
    const failing = turns.take('x', () => Promise.reject(new Error('no')));
    const behind = turns.take('x', async () => 'yes');
    await expect(failing).rejects.toThrow('no');
    await expect(behind).resolves.toBe('yes');
  });

  it('do not wait for those of another name', async () => {
    const turns = new Turns();
    const { promise, resolve } = Promise.withResolvers<void>();
    const held = turns.take('x', () => promise);
    await expect(turns.take('y', async () => 'at once')).resolves.toBe('at once');
    resolve();
    await held;
  });

  it('are refused to who has waited for too long, and not to who comes then', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const turns = new Turns();
    const { promise, resolve } = Promise.withResolvers<void>();
    const held = turns.take('x', () => promise);
    let done = false;
    const waiting = turns.take('x', async () => {
      done = true;
    });
    vi.advanceTimersByTime(6_000);
    const late = turns.take('x', async () => 'in time');
    resolve();
    await held;
    await expect(waiting).rejects.toMatchObject({ reason: 'notReady' });
    expect(done).toBe(false);
    await expect(late).resolves.toBe('in time');
  });
});
