import { pino } from 'pino';
import { describe, expect, it, vi } from 'vitest';
import type { Tick } from '../../services/bus/bus.ts';
import { memoryBus } from '../../services/bus/memory.ts';
import { followProgress } from '../../services/bus/progress.ts';
import type { Position } from '../../services/log/log.ts';

const at = (number: number) => String(number).padStart(4, '0') as Position;
const tick = (number: number, fence: number, batch: number): Tick => ({
  checkpoint: at(number),
  fence,
  batch,
});

async function follow(start: number) {
  const bus = memoryBus(pino({ level: 'silent' }));
  let stored = tick(start, 1, 0);
  const progress = await followProgress(bus, async () => stored);
  let batch = 0;
  const send = (sent: Tick) => bus.publish(sent, []);
  const reach = (number: number) => {
    stored = tick(number, 1, ++batch);
    send(stored);
  };
  /** Changes the database's checkpoint without a tick. */
  const store = (next: Tick) => {
    stored = next;
  };
  return { progress, reach, send, store };
}

describe('waiting for the read models', () => {
  it('ends at once for a position that they have reached', async () => {
    const { progress } = await follow(5);
    expect(progress.checkpoint).toBe(at(5));
    expect(await progress.reached(at(5), 0)).toBe(true);
    expect(await progress.reached(at(3), 0)).toBe(true);
  });

  it('ends for each caller when its position is reached', async () => {
    const { progress, reach } = await follow(0);
    const over: number[] = [];
    const waiting = [3, 1, 2].map((number) =>
      progress.reached(at(number), 5_000).then(() => over.push(number)),
    );
    reach(1);
    await waiting[1];
    expect(over).toEqual([1]);
    reach(3);
    await Promise.all(waiting);
    expect(over.sort()).toEqual([1, 2, 3]);
  });

  it('ends with false after its timeout', async () => {
    const { progress, reach } = await follow(0);
    const patient = progress.reached(at(1), 10_000);
    expect(await progress.reached(at(1), 10)).toBe(false);
    reach(1);
    expect(await patient).toBe(true);
  });

  it('does not go back for a late tick', async () => {
    const { progress, send } = await follow(0);
    send(tick(5, 2, 2));
    send(tick(2, 2, 1));
    send(tick(3, 1, 9));
    expect(progress.checkpoint).toBe(at(5));
  });

  it('goes back with the database when another projector continues from an earlier checkpoint', async () => {
    const { progress, send } = await follow(0);
    send(tick(5, 1, 5));
    send(tick(3, 2, 3));
    expect(progress.checkpoint).toBe(at(3));
    const waiting = progress.reached(at(5), 5_000);
    send(tick(5, 2, 4));
    expect(await waiting).toBe(true);
  });

  it('is confirmed only by the database, not by earlier ticks', async () => {
    const { progress, send, store } = await follow(0);
    send(tick(5, 1, 5));
    store(tick(3, 1, 3));
    expect(await progress.reached(at(5), 0)).toBe(true);
    expect(await progress.confirmed(at(5), 60)).toBe(false);
    const waiting = progress.confirmed(at(5), 10_000);
    store(tick(5, 2, 4));
    expect(await waiting).toBe(true);
  });

  it('does not go back to a checkpoint that was read before the last tick', async () => {
    const bus = memoryBus(pino({ level: 'silent' }));
    const answers: PromiseWithResolvers<Tick>[] = [];
    const following = followProgress(bus, () => {
      const answer = Promise.withResolvers<Tick>();
      answers.push(answer);
      return answer.promise;
    });
    answers[0]?.resolve(tick(0, 1, 0));
    const progress = await following;
    const waiting = progress.reached(at(6), 5_000);
    await vi.waitUntil(() => answers.length === 2, { timeout: 5_000, interval: 5 });
    bus.publish(tick(5, 1, 5), []);
    answers[1]?.resolve(tick(1, 1, 1));
    await answers[1]?.promise;
    expect(progress.checkpoint).toBe(at(5));
    bus.publish(tick(6, 1, 6), []);
    expect(await waiting).toBe(true);
  });

  it('ends with false when following stops', async () => {
    const { progress } = await follow(0);
    const waiting = progress.reached(at(1), 60_000);
    progress.stop();
    expect(await waiting).toBe(false);
  });

  it('reads the checkpoint after an interruption', async () => {
    let interrupt = () => {};
    let stored = 1;
    const reconnecting = {
      onTick: () => () => {},
      onInterruption: (listener: () => void) => {
        interrupt = listener;
        return () => {};
      },
    };
    const progress = await followProgress(reconnecting, async () => tick(stored, 1, stored));
    const waiting = progress.reached(at(2), 5_000);
    stored = 2;
    interrupt();
    expect(await waiting).toBe(true);
  });

  it('ends without ticks, once the database has reached the position', async () => {
    const silent = { onTick: () => () => {}, onInterruption: () => () => {} };
    const answers: readonly (number | 'away')[] = [1, 1, 'away', 2];
    let asked = 0;
    const progress = await followProgress(silent, async () => {
      const answer = answers[asked++] ?? 2;
      if (answer === 'away') throw new Error('away');
      return tick(answer, 1, answer);
    });
    expect(await progress.reached(at(2), 10_000)).toBe(true);
  });

  it('throws at the start if the checkpoint cannot be read', async () => {
    const bus = memoryBus(pino({ level: 'silent' }));
    await expect(followProgress(bus, () => Promise.reject(new Error('away')))).rejects.toThrow('away');
  });
});
