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
  it('delivers rows to their channels, then the tick to all, at once and in order', () => {
    const bus = open();
    const received: string[] = [];
    bus.onChannel('user-1', ({ number }) => received.push(`one ${number}`));
    bus.onChannel('user-2', ({ number }) => received.push(`two ${number}`));
    bus.onTick(({ batch }) => received.push(`tick ${batch}`));
    bus.publish(tick(1), [row('user-2', 0), row('user-1', 1), row('user-3', 2), row('user-1', 3)]);
    bus.publish(tick(2), []);
    expect(received).toEqual(['two 0', 'one 1', 'one 3', 'tick 1', 'tick 2']);
  });

  it('delivers to all listeners of a channel, and not to a removed one', () => {
    const bus = open();
    const received: string[] = [];
    const stop = bus.onChannel('user-1', () => received.push('first'));
    bus.onChannel('user-1', () => received.push('second'));
    bus.publish(tick(1), [row('user-1', 0)]);
    stop();
    stop();
    bus.publish(tick(2), [row('user-1', 0)]);
    expect(received).toEqual(['first', 'second', 'second']);
  });

  it('does not deliver to a listener that an earlier listener has removed', () => {
    const bus = open();
    const received: string[] = [];
    let stop = () => {};
    bus.onTick(() => stop());
    stop = bus.onTick(() => received.push('tick'));
    bus.publish(tick(1), []);
    expect(received).toEqual([]);
  });

  it('delivers a message to all before another that a listener sends in response', () => {
    const bus = open();
    const received: string[] = [];
    bus.onSignal('sessions', () => received.push('signal'));
    bus.onTick(({ batch }) => {
      received.push(`first ${batch}`);
      if (batch === 1) {
        bus.signal('sessions', { kind: 'user ended', uid: 1 });
        bus.publish(tick(2), []);
      }
    });
    bus.onTick(({ batch }) => received.push(`second ${batch}`));
    bus.publish(tick(1), []);
    expect(received).toEqual(['first 1', 'second 1', 'signal', 'first 2', 'second 2']);
  });

  it('delivers to the others if a listener throws', () => {
    const bus = open();
    const received: string[] = [];
    bus.onTick(() => {
      throw new Error('broken');
    });
    bus.onTick(({ batch }) => received.push(`tick ${batch}`));
    bus.publish(tick(1), []);
    bus.publish(tick(2), []);
    expect(received).toEqual(['tick 1', 'tick 2']);
  });

  it('is healthy until it is closed, and delivers nothing afterwards', async () => {
    const bus = open();
    const received: string[] = [];
    bus.onTick(() => received.push('tick'));
    await bus.settled();
    expect(bus.healthy()).toBe(true);
    await bus.close();
    bus.publish(tick(1), []);
    expect(received).toEqual([]);
    expect(bus.healthy()).toBe(false);
  });
});
