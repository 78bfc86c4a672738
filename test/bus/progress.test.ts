import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { memoryBus } from '../../services/bus/memory.ts';
import { followProgress } from '../../services/bus/progress.ts';
import type { Position } from '../../services/log/log.ts';

const at = (place: number) => String(place).padStart(4, '0') as Position;

async function follow(start: number) {
  const bus = memoryBus(pino({ level: 'silent' }));
  const progress = await followProgress(bus, async () => at(start));
  let batch = 0;
  const reach = (place: number) => bus.publish({ checkpoint: at(place), fence: 1, batch: ++batch }, []);
  return { progress, reach };
}

describe('waiting for the read models', () => {
  it('is over at once for what they show already', async () => {
    const { progress } = await follow(5);
    expect(progress.checkpoint).toBe(at(5));
    expect(await progress.reached(at(5), 0)).toBe(true);
    expect(await progress.reached(at(3), 0)).toBe(true);
  });

  it('is over for each when its position is reached, and not before', async () => {
    const { progress, reach } = await follow(0);
    const over: number[] = [];
    const waiting = [3, 1, 2].map((place) => progress.reached(at(place), 5_000).then(() => over.push(place)));
    reach(1);
    await waiting[1];
    expect(over).toEqual([1]);
    reach(3);
    await Promise.all(waiting);
    expect(over.sort()).toEqual([1, 2, 3]);
  });

  it('ends with false when its time is up', async () => {
    const { progress, reach } = await follow(0);
    const patient = progress.reached(at(1), 10_000);
    expect(await progress.reached(at(1), 10)).toBe(false);
    reach(1);
    expect(await patient).toBe(true);
  });

  it('never goes back', async () => {
    const { progress, reach } = await follow(5);
    reach(2);
    expect(progress.checkpoint).toBe(at(5));
  });

  it('ends with false for all when following stops', async () => {
    const { progress } = await follow(0);
    const waiting = progress.reached(at(1), 60_000);
    progress.stop();
    expect(await waiting).toBe(false);
  });

  it('asks the database after an interruption', async () => {
    let interrupt = () => {};
    let stored = 1;
    const reconnecting = {
      onTick: () => () => {},
      onInterruption: (hear: () => void) => {
        interrupt = hear;
        return () => {};
      },
    };
    const progress = await followProgress(reconnecting, async () => at(stored));
    const waiting = progress.reached(at(2), 5_000);
    stored = 2;
    interrupt();
    expect(await waiting).toBe(true);
  });

  it('is over although the bus tells nothing, once the database shows it', async () => {
    const deaf = { onTick: () => () => {}, onInterruption: () => () => {} };
    const answers: readonly (number | 'away')[] = [1, 1, 'away', 2];
    let asked = 0;
    const progress = await followProgress(deaf, async () => {
      const answer = answers[asked++] ?? 2;
      if (answer === 'away') throw new Error('away');
      return at(answer);
    });
    expect(await progress.reached(at(2), 10_000)).toBe(true);
  });

  it('tells who starts to follow where the database cannot be asked', async () => {
    const bus = memoryBus(pino({ level: 'silent' }));
    await expect(followProgress(bus, () => Promise.reject(new Error('away')))).rejects.toThrow('away');
  });
});
