import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PushRow } from '../../contracts/push/row.ts';
import { type NatsServer, natsServer, natsServerIsInstalled } from '../support/nats.ts';
import { row, tick, useNatsBuses } from './nats-harness.ts';

describe.skipIf(!natsServerIsInstalled)('the bus over NATS during outages (needs nats-server)', () => {
  let mortal: NatsServer;
  const { open, freshPrefix, pair } = useNatsBuses();
  beforeAll(async () => {
    mortal = await natsServer();
    await mortal.start();
  });
  afterAll(() => mortal.kill());

  /**
   * Rows are also in a table beside the bus, as in the program. A listener reads the table after a gap between ticks
   * and after an interruption; in the end it must have all rows, each once.
   */
  it('loses no row for a listener that fills gaps from the table, over kills under load', {
    timeout: 60_000,
  }, async () => {
    const [sender, listener] = await pair(mortal);
    const table: PushRow[][] = [];
    const applied: number[] = [];
    let batch = 0;
    const readTable = () => {
      for (; batch < table.length; batch++) applied.push(...(table[batch] ?? []).map(({ number }) => number));
    };
    let rows: PushRow[] = [];
    listener.onChannel('user-1', (each) => rows.push(each));
    listener.onInterruption(readTable);
    listener.onTick((received) => {
      const complete = rows;
      rows = [];
      if (received.batch === batch + 1) {
        applied.push(...complete.map(({ number }) => number));
        batch = received.batch;
      } else if (received.batch > batch) readTable();
    });
    await listener.settled();
    let number = 0;
    const publishing = setInterval(() => {
      for (let each = 0; each < 20; each++) {
        table.push([row('user-1', number++), row('user-1', number++)]);
        sender.publish(tick(table.length), table.at(-1) ?? []);
      }
    }, 1);
    for (let kill = 0; kill < 3; kill++) {
      const enough = applied.length + 500;
      await expect.poll(() => applied.length, { timeout: 15_000 }).toBeGreaterThan(enough);
      await mortal.kill();
      await expect.poll(() => listener.healthy() || sender.healthy()).toBe(false);
      await mortal.start();
    }
    const enough = applied.length + 500;
    await expect.poll(() => applied.length, { timeout: 15_000 }).toBeGreaterThan(enough);
    clearInterval(publishing);
    await expect.poll(() => applied.length, { timeout: 5_000 }).toBe(number);
    expect(applied).toEqual(Array.from({ length: number }, (_, index) => index));
    await expect.poll(() => listener.healthy() && sender.healthy(), { timeout: 5_000 }).toBe(true);
  });

  it('delivers to its own process during an outage, and interrupts others afterwards', async () => {
    const [sender, listener] = await pair(mortal);
    const own: number[] = [];
    const others: string[] = [];
    sender.onTick(({ batch }) => own.push(batch));
    listener.onTick(({ batch }) => others.push(`tick ${batch}`));
    listener.onInterruption(() => others.push('interruption'));
    await listener.settled();
    await mortal.kill();
    await expect.poll(() => sender.healthy() || listener.healthy()).toBe(false);
    for (let batch = 1; batch <= 3; batch++) sender.publish(tick(batch), []);
    expect(own).toEqual([1, 2, 3]);
    await mortal.start();
    await expect.poll(() => sender.healthy() && listener.healthy()).toBe(true);
    sender.publish(tick(4), []);
    await expect.poll(() => others.at(-1)).toBe('tick 4');
    expect(others[0]).toBe('interruption');
    // Batch 3 is sent again without its rows, so it must not look like an empty batch.
    expect(others.filter((received) => received !== 'interruption')).toEqual(['tick 4']);
  });

  it('detects a frozen server within seconds', { timeout: 30_000 }, async () => {
    const [bus] = await pair(mortal);
    mortal.freeze();
    await expect.poll(() => bus.healthy(), { timeout: 10_000 }).toBe(false);
    mortal.thaw();
    await expect.poll(() => bus.healthy(), { timeout: 10_000 }).toBe(true);
  });

  it('starts without a server, is unhealthy, and interrupts listeners when there is one', async () => {
    const late = await natsServer();
    freshPrefix();
    const bus = await open(late);
    expect(bus.healthy()).toBe(false);
    const received: string[] = [];
    bus.onTick(({ batch }) => received.push(`tick ${batch}`));
    bus.onInterruption(() => received.push('interruption'));
    await late.start();
    await expect.poll(() => bus.healthy(), { timeout: 10_000 }).toBe(true);
    expect(received).toEqual(['interruption']);
    const other = await open(late);
    other.publish(tick(1), []);
    await expect.poll(() => received.at(-1)).toBe('tick 1');
    await late.kill();
  });

  it('does not start if the server refuses it, and starts with the right credentials', async () => {
    const guarded = await natsServer('--user', 'bubble', '--pass', 'right');
    await guarded.start();
    freshPrefix();
    await expect(open(guarded)).rejects.toThrow(/refuses/);
    const withPassword = guarded.url.replace('//', '//bubble:right@');
    const bus = await open({ ...guarded, url: withPassword });
    expect(bus.healthy()).toBe(true);
    await guarded.kill();
  });
});
