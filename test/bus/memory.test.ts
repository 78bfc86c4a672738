import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { PushRow } from '../../contracts/push/row.ts';
import { memoryBus } from '../../services/bus/memory.ts';
import type { Position } from '../../services/log/log.ts';

const tick = (batch: number) => ({ checkpoint: String(batch) as Position, fence: 1, batch });
const row = (channel: string, number: number): PushRow => ({
  channel,
  place: '1',
  number,
  event: 'message',
  data: '{}',
});
const open = () => memoryBus(pino({ level: 'silent' }));

describe('the bus in memory', () => {
  it('tells each channel its rows, then everyone the tick, at once and in order', () => {
    const bus = open();
    const heard: string[] = [];
    bus.onChannel('user-1', ({ number }) => heard.push(`one ${number}`));
    bus.onChannel('user-2', ({ number }) => heard.push(`two ${number}`));
    bus.onTick(({ batch }) => heard.push(`tick ${batch}`));
    bus.publish(tick(1), [row('user-2', 0), row('user-1', 1), row('user-3', 2), row('user-1', 3)]);
    bus.publish(tick(2), []);
    expect(heard).toEqual(['two 0', 'one 1', 'one 3', 'tick 1', 'tick 2']);
  });

  it('tells all listeners of a name, and none that has stopped', () => {
    const bus = open();
    const heard: string[] = [];
    const stop = bus.onChannel('user-1', () => heard.push('first'));
    bus.onChannel('user-1', () => heard.push('second'));
    bus.publish(tick(1), [row('user-1', 0)]);
    stop();
    stop();
    bus.publish(tick(2), [row('user-1', 0)]);
    expect(heard).toEqual(['first', 'second', 'second']);
  });

  it('does not tell a listener that the one before it stopped', () => {
    const bus = open();
    const heard: string[] = [];
    let stop = () => {};
    bus.onTick(() => stop());
    stop = bus.onTick(() => heard.push('tick'));
    bus.publish(tick(1), []);
    expect(heard).toEqual([]);
  });

  it('lets all hear the first thing before anyone hears what a listener said to it', () => {
    const bus = open();
    const heard: string[] = [];
    bus.onSignal('sessions', () => heard.push('signal'));
    bus.onTick(({ batch }) => {
      heard.push(`first ${batch}`);
      if (batch === 1) {
        bus.signal('sessions', { kind: 'user ended', uid: 1 });
        bus.publish(tick(2), []);
      }
    });
    bus.onTick(({ batch }) => heard.push(`second ${batch}`));
    bus.publish(tick(1), []);
    expect(heard).toEqual(['first 1', 'second 1', 'signal', 'first 2', 'second 2']);
  });

  it('goes on with the others where a listener throws', () => {
    const bus = open();
    const heard: string[] = [];
    bus.onTick(() => {
      throw new Error('broken');
    });
    bus.onTick(({ batch }) => heard.push(`tick ${batch}`));
    bus.publish(tick(1), []);
    bus.publish(tick(2), []);
    expect(heard).toEqual(['tick 1', 'tick 2']);
  });

  it('carries until it is closed, and tells nobody anything after', async () => {
    const bus = open();
    const heard: string[] = [];
    bus.onTick(() => heard.push('tick'));
    await bus.settled();
    expect(bus.healthy()).toBe(true);
    await bus.close();
    bus.publish(tick(1), []);
    expect(heard).toEqual([]);
    expect(bus.healthy()).toBe(false);
  });
});
