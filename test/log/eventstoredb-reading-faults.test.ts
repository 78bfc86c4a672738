import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { openEventStoreDBLog } from '../../services/log/eventstoredb/eventstoredb-log.ts';
import { type Position, startOfLog } from '../../services/log/log.ts';
import type { EventStoreDBDouble } from '../support/eventstoredb-double.ts';
import { shortTimeouts, useDoubles } from './eventstoredb-double-harness.ts';
import { collect, events, idsOf, orderFaults, streamOf, take } from './specimens.ts';

describe('reading from an EventStoreDB that fails (a double)', () => {
  const world = useDoubles();

  it('logs that a subscription fails again and again', async () => {
    const lines: string[] = [];
    const warnings = pino({ level: 'warn' }, { write: (line) => void lines.push(line) });
    const double = await world.start();
    const log = openEventStoreDBLog({ url: double.url, logger: warnings, timeouts: shortTimeouts });
    world.atEnd(() => log.close());
    const signal = new AbortController();
    world.atEnd(() => signal.abort());
    const beyond = '0000000000000009999-0000000000000009999' as Position;
    void (async () => {
      for await (const _ of log.subscribe({ after: beyond, signal: signal.signal })) break;
    })();
    await expect
      .poll(() => lines.some((line) => /fails again and again/.test(line)), { timeout: 20_000 })
      .toBe(true);
  });

  it('logs once that the server does not answer, frozen or down, and that it answers again', async () => {
    const lines: { level: number; msg: string }[] = [];
    const logger = pino({ level: 'info' }, { write: (line) => void lines.push(JSON.parse(line)) });
    const double = await world.start();
    const log = openEventStoreDBLog({ url: double.url, logger, timeouts: shortTimeouts });
    world.atEnd(() => log.close());
    await log.append(streamOf('before'), 'any', events(1));
    const away = { level: 50, msg: 'the event store does not answer: reconnecting' };
    const back = { level: 30, msg: 'the event store answers again' };
    const patiently = { timeout: 20_000 };
    double.freeze();
    await expect.poll(() => lines, patiently).toMatchObject([away]);
    double.thaw();
    await expect.poll(() => lines, patiently).toMatchObject([away, back]);
    await double.kill();
    await expect.poll(() => lines, patiently).toMatchObject([away, back, away]);
    await double.start();
    await expect.poll(() => lines, patiently).toMatchObject([away, back, away, back]);
  });

  it('delivers without a gap when the server ends live subscriptions under load', async () => {
    const double = await world.start();
    const log = world.open(double);
    const seen = take(log, 1_000, { after: startOfLog });
    for (let round = 0; round < 5; round++) {
      await Promise.all(
        Array.from({ length: 40 }, (_, caller) => log.append(streamOf('load', caller), 'any', events(5))),
      );
    }
    const records = await seen;
    expect(double.drops).toBeGreaterThan(0);
    expect(orderFaults(records)).toEqual([]);
    expect(idsOf(records)).toEqual(double.store.records.map(({ id }) => id));
  });

  it('reads on to the end when the server drops the read near it', async () => {
    const double = await world.start();
    const log = world.open(double);
    await Promise.all(
      Array.from({ length: 50 }, (_, caller) => log.append(streamOf('long', caller), 'any', events(10))),
    );
    double.cuts.push(490, 3, 0, 0, 2);
    const records = await collect(log.readAll());
    expect(idsOf(records)).toEqual(double.store.records.map(({ id }) => id));
    expect(double.drops).toBe(5);
  });

  it('reads on when the server restarts in the middle of a read', async () => {
    const double = await world.start();
    const log = world.open(double);
    await log.append(streamOf('long'), 'any', events(2_000));
    const seen: string[] = [];
    for await (const { id } of log.readAll()) {
      if (seen.push(id) !== 10) continue;
      double.kill();
      await double.start();
    }
    expect(seen).toEqual(double.store.records.map(({ id }) => id));
  });

  it.each([
    [
      'drops it immediately each time',
      (double: EventStoreDBDouble) => double.cuts.push(...Array(100).fill(0)),
    ],
    ['ends in the middle of it', (double: EventStoreDBDouble) => double.kill()],
    ['freezes in the middle of it', (double: EventStoreDBDouble) => double.freeze()],
  ])('fails a read when the server %s and nothing arrives in time', async (_, fail) => {
    const double = await world.start();
    const log = world.open(double, shortTimeouts);
    await log.append(streamOf('long'), 'any', events(2_000));
    let given = 0;
    const reading = async () => {
      double.cuts.push(1_000);
      for await (const _ of log.readAll()) if (++given === 10) fail(double);
    };
    await expect(reading()).rejects.toMatchObject({ kind: 'unavailable' });
    expect(given).toBeGreaterThanOrEqual(10);
    expect(given).toBeLessThan(2_000);
  });

  it('fails a read when the log is closed', async () => {
    const double = await world.start();
    const log = world.open(double);
    await log.append(streamOf('long'), 'any', events(2_000));
    const reading = async () => {
      for await (const _ of log.readAll()) {
        double.freeze();
        await log.close();
      }
    };
    await expect(reading()).rejects.toMatchObject({ kind: 'unavailable', message: 'the log is closed' });
  });
});
