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
    const results = await Promise.all(['a', 'b', 'c'].map((name) => turns.take('x', 'a', work(name))));
    expect(results).toEqual(['a', 'b', 'c']);
    expect(told).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  });

  it('are given to the callers in turns, and to the server before all', async () => {
    const turns = new Turns();
    const { promise, resolve } = Promise.withResolvers<void>();
    const done: string[] = [];
    const asking = [turns.take('x', '9', () => promise)];
    const ask = (caller: string, what: string) =>
      asking.push(turns.take('x', caller, async () => void done.push(what)));
    for (let index = 1; index <= 4; index++) ask('9', `9.${index}`);
    ask('10', '10.1');
    ask('11', '11.1');
    ask('10', '10.2');
    ask('server', 'server');
    resolve();
    await Promise.all(asking);
    expect(done).toEqual(['server', '10.1', '11.1', '9.1', '10.2', '9.2', '9.3', '9.4']);
  });

  it('leave nothing behind', async () => {
    const turns = new Turns();
    for (let round = 0; round < 3; round++) {
      const results = await Promise.all(
        ['9', '10'].map((caller) => turns.take('x', caller, async () => caller)),
      );
      expect(results).toEqual(['9', '10']);
    }
  });

  it('go on after one that failed', async () => {
    const turns = new Turns();
    const failing = turns.take('x', 'a', () => Promise.reject(new Error('no')));
    const behind = turns.take('x', 'a', async () => 'yes');
    await expect(failing).rejects.toThrow('no');
    await expect(behind).resolves.toBe('yes');
  });

  it('do not wait for those of another name', async () => {
    const turns = new Turns();
    const { promise, resolve } = Promise.withResolvers<void>();
    const held = turns.take('x', 'a', () => promise);
    await expect(turns.take('y', 'a', async () => 'at once')).resolves.toBe('at once');
    resolve();
    await held;
  });

  it('are refused to who has waited for too long, and not to who comes then', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const turns = new Turns();
    const { promise, resolve } = Promise.withResolvers<void>();
    const held = turns.take('x', 'a', () => promise);
    let done = false;
    const waiting = turns.take('x', 'a', async () => {
      done = true;
    });
    const refused = expect(waiting).rejects.toMatchObject({ reason: 'notReady' });
    vi.advanceTimersByTime(6_000);
    const late = turns.take('x', 'a', async () => 'in time');
    resolve();
    await held;
    await refused;
    expect(done).toBe(false);
    await expect(late).resolves.toBe('in time');
  });
});
