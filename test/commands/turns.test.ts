import { afterEach, describe, expect, it, vi } from 'vitest';
import { Turns } from '../../services/commands/turns.ts';

afterEach(() => {
  vi.useRealTimers();
});

describe('turns', () => {
  it('run the work under one name one after the other, in the order of the calls', async () => {
    const turns = new Turns();
    const steps: string[] = [];
    const work = (name: string) => async () => {
      steps.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      steps.push(`${name} ends`);
      return name;
    };
    const results = await Promise.all(['a', 'b', 'c'].map((name) => turns.run('x', 'a', work(name))));
    expect(results).toEqual(['a', 'b', 'c']);
    expect(steps).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  });

  it('go round the callers, and to the server first', async () => {
    const turns = new Turns();
    const { promise, resolve } = Promise.withResolvers<void>();
    const done: string[] = [];
    const asking = [turns.run('x', '9', () => promise)];
    const ask = (caller: string, what: string) =>
      asking.push(turns.run('x', caller, async () => void done.push(what)));
    for (let index = 1; index <= 4; index++) ask('9', `9.${index}`);
    ask('10', '10.1');
    ask('11', '11.1');
    ask('10', '10.2');
    ask('server', 'server');
    resolve();
    await Promise.all(asking);
    expect(done).toEqual(['server', '10.1', '11.1', '9.1', '10.2', '9.2', '9.3', '9.4']);
  });

  it('can be acquired again once all have ended', async () => {
    const turns = new Turns();
    for (let round = 0; round < 3; round++) {
      const results = await Promise.all(
        ['9', '10'].map((caller) => turns.run('x', caller, async () => caller)),
      );
      expect(results).toEqual(['9', '10']);
    }
  });

  it('go on after work that fails', async () => {
    const turns = new Turns();
    const failing = turns.run('x', 'a', () => Promise.reject(new Error('no')));
    const behind = turns.run('x', 'a', async () => 'yes');
    await expect(failing).rejects.toThrow('no');
    await expect(behind).resolves.toBe('yes');
  });

  it('under different names run at the same time', async () => {
    const turns = new Turns();
    const { promise, resolve } = Promise.withResolvers<void>();
    const held = turns.run('x', 'a', () => promise);
    await expect(turns.run('y', 'a', async () => 'at once')).resolves.toBe('at once');
    resolve();
    await held;
  });

  it('are refused after 5 s of waiting, and then go on for later callers', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const turns = new Turns();
    const { promise, resolve } = Promise.withResolvers<void>();
    const held = turns.run('x', 'a', () => promise);
    let done = false;
    const waiting = turns.run('x', 'a', async () => {
      done = true;
    });
    const refused = expect(waiting).rejects.toMatchObject({ reason: 'notReady' });
    vi.advanceTimersByTime(6_000);
    const late = turns.run('x', 'a', async () => 'in time');
    resolve();
    await held;
    await refused;
    expect(done).toBe(false);
    await expect(late).resolves.toBe('in time');
  });
});
