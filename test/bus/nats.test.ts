import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { PushRow } from '../../contracts/push/row.ts';
import type { Bus } from '../../services/bus/bus.ts';
import { connectNatsBus } from '../../services/bus/nats.ts';
import type { Position } from '../../services/log/log.ts';
import { type NatsServer, natsServer, natsServerIsInstalled } from '../support/nats.ts';

const logger = pino({ level: 'silent' });
const tick = (batch: number, fence = 1) => ({ checkpoint: String(batch) as Position, fence, batch });
const row = (channel: string, number: number, data = '{}'): PushRow => ({
  channel,
  place: '1',
  number,
  event: 'message',
  data,
});

describe.skipIf(!natsServerIsInstalled)('the bus over NATS (needs nats-server)', () => {
  let server: NatsServer;
  let prefix: string;
  const open: Bus[] = [];
  const opened = async (at = server, installation = 'ours', log = logger) => {
    const bus = await connectNatsBus({ url: at.url, prefix, installation, logger: log });
    open.push(bus);
    return bus;
  };

  beforeAll(async () => {
    server = await natsServer();
    await server.start();
  });
  afterAll(() => server.kill());
  afterEach(async () => {
    for (const bus of open.splice(0)) await bus.close();
  });
  const pair = async (at = server) => {
    prefix = `test-${randomUUID()}`;
    return [await opened(at), await opened(at)] as const;
  };

  it('tells another process the rows of the channels it listens to, then the tick', async () => {
    const [teller, listener] = await pair();
    const heard: string[] = [];
    const oddName = 'presence-群 *.>"1"';
    listener.onTick(({ batch, checkpoint }) => heard.push(`tick ${batch} ${checkpoint}`));
    listener.onChannel('user-1', ({ number }) => heard.push(`one ${number}`));
    listener.onChannel(oddName, ({ number }) => heard.push(`odd ${number}`));
    await listener.settled();
    const data = JSON.stringify({ text: '\u0000 好 \\ud800 "' });
    const whole: PushRow[] = [];
    listener.onChannel('user-1', (each) => whole.push(each));
    teller.publish(tick(1), [row('user-1', 0, data), row('user-2', 1), row(oddName, 2), row('user-1', 3)]);
    teller.publish(tick(2), []);
    await expect.poll(() => heard).toEqual(['one 0', 'odd 2', 'one 3', 'tick 1 1', 'tick 2 2']);
    expect(whole[0]).toEqual(row('user-1', 0, data));
  });

  it('hears nothing of another installation under the same name, and tells of it once', async () => {
    const told: string[] = [];
    const collector = pino({ level: 'warn' }, { write: (line) => void told.push(line) });
    prefix = `test-${randomUUID()}`;
    const [ours, others, another] = [
      await opened(server, 'ours', collector),
      await opened(server, 'others'),
      await opened(server, 'others'),
    ];
    const heard: unknown[] = [];
    const batches: number[] = [];
    ours.onTick((each) => heard.push(each));
    ours.onChannel('user-1', (each) => heard.push(each));
    ours.onSignal('sessions', (each) => heard.push(each));
    another.onTick(({ batch }) => batches.push(batch));
    await Promise.all([ours.settled(), another.settled()]);
    others.publish(tick(1), [row('user-1', 0)]);
    others.signal('sessions', { kind: 'user ended', uid: 1 });
    others.publish(tick(2), [row('user-1', 1)]);
    await expect.poll(() => batches).toEqual([1, 2]);
    await expect.poll(() => told).toHaveLength(1);
    expect(told[0]).toMatch(/another installation uses the same NATS and APP_ID/);
    expect(heard).toEqual([]);
  });

  it('tells its own process at once, and once', async () => {
    const [bus, other] = await pair();
    const heard: string[] = [];
    bus.onTick(({ batch }) => heard.push(`tick ${batch}`));
    bus.onChannel('user-1', ({ number }) => heard.push(`row ${number}`));
    bus.onSignal('sessions', ({ kind }) => heard.push(kind));
    await bus.settled();
    bus.publish(tick(1), [row('user-1', 0)]);
    bus.signal('sessions', { kind: 'user ended', uid: 1 });
    expect(heard).toEqual(['row 0', 'tick 1', 'user ended']);
    // What another says after it comes after whatever would have come back.
    other.publish(tick(2), []);
    await expect.poll(() => heard.at(-1)).toBe('tick 2');
    expect(heard).toHaveLength(4);
  });

  it('carries each kind of signal as it is, to the listeners of its topic', async () => {
    const [teller, listener] = await pair();
    const signals = [
      { kind: 'token ended', token: 'abc' },
      { kind: 'user ended', uid: 9 },
      { kind: 'connections ended', userId: 'anne' },
      { kind: 'ephemeral', channel: 'c', event: 'e', data: '"好"' },
      {
        kind: 'ephemeral',
        channel: 'c',
        event: 'e',
        data: '1',
        exceptSocket: '1.2',
        userId: '9',
        twin: true,
      },
      { kind: 'members changed', channel: 'presence-1' },
      { kind: 'question', id: '1', prefix: 'presence-', answerTo: 'gateway-1' },
      { kind: 'answer', id: '1', gateway: 'g', subscriptions: { 'user-1': 2 } },
    ] as const;
    const heard: unknown[] = [];
    const elsewhere: unknown[] = [];
    listener.onSignal('channel-a.b', (signal) => heard.push(signal));
    listener.onSignal('channel-a', (signal) => elsewhere.push(signal));
    await listener.settled();
    for (const signal of signals) teller.signal('channel-a.b', signal);
    await expect.poll(() => heard).toEqual(signals);
    expect(elsewhere).toEqual([]);
  });

  it('lets what shares a server but not the prefix hear nothing', async () => {
    const [teller, listener] = await pair();
    const [stranger] = await pair();
    const heard: string[] = [];
    stranger.onTick(() => heard.push('stranger'));
    listener.onTick(() => heard.push('listener'));
    await Promise.all([stranger.settled(), listener.settled()]);
    teller.publish(tick(1), []);
    await expect.poll(() => heard).toEqual(['listener']);
    await stranger.settled();
    expect(heard).toEqual(['listener']);
  });

  it('tells one who has stopped nothing, and others on the same channel everything', async () => {
    const [teller, listener] = await pair();
    const heard: string[] = [];
    const stop = listener.onChannel('user-1', () => heard.push('first'));
    listener.onChannel('user-1', () => heard.push('second'));
    await listener.settled();
    stop();
    stop();
    teller.publish(tick(1), [row('user-1', 0)]);
    await expect.poll(() => heard).toEqual(['second']);
  });

  it('has listeners read a row that is too large for the server, and carries on', async () => {
    const [teller, listener] = await pair();
    const heard: string[] = [];
    listener.onTick(({ batch }) => heard.push(`tick ${batch}`));
    listener.onChannel('user-1', ({ number }) => heard.push(`row ${number}`));
    listener.onInterruption(() => heard.push('read it'));
    await listener.settled();
    teller.publish(tick(1), [row('user-1', 0, JSON.stringify('x'.repeat(2_000_000))), row('user-1', 1)]);
    teller.publish(tick(2), [row('user-1', 0)]);
    await expect.poll(() => heard).toEqual(['read it', 'row 1', 'tick 1', 'row 0', 'tick 2']);
    expect(teller.healthy()).toBe(true);
  });

  it('passes over what it cannot read, and has listeners look for themselves', async () => {
    const [, listener] = await pair();
    const { connect } = await import('nats');
    const stranger = await connect({ servers: server.url });
    const heard: string[] = [];
    listener.onTick(({ batch }) => heard.push(`tick ${batch}`));
    listener.onInterruption(() => heard.push('interruption'));
    await listener.settled();
    stranger.publish(`${prefix}.tick`, '{"batch":"one"}');
    stranger.publish(`${prefix}.tick`, JSON.stringify({ ...tick(3), installation: 'ours' }));
    await expect.poll(() => heard).toEqual(['interruption', 'tick 3']);
    await stranger.close();
  });

  describe('a server that comes and goes', () => {
    let mortal: NatsServer;
    beforeAll(async () => {
      mortal = await natsServer();
      await mortal.start();
    });
    afterAll(() => mortal.kill());

    /**
     * Every tick is numbered and stands in a table beside the bus, as in the program. A listener that
     * sees a gap or is told of an interruption reads the table; in the end it must have all rows, once.
     */
    it('loses no row to one who fills gaps from the table, over kills under load', {
      timeout: 60_000,
    }, async () => {
      const [teller, listener] = await pair(mortal);
      const table: PushRow[][] = [];
      const taken: number[] = [];
      let batch = 0;
      const readTable = () => {
        for (; batch < table.length; batch++) taken.push(...(table[batch] ?? []).map(({ number }) => number));
      };
      let rows: PushRow[] = [];
      listener.onChannel('user-1', (each) => rows.push(each));
      listener.onInterruption(readTable);
      listener.onTick((heard) => {
        const complete = rows;
        rows = [];
        if (heard.batch === batch + 1) {
          taken.push(...complete.map(({ number }) => number));
          batch = heard.batch;
        } else if (heard.batch > batch) readTable();
      });
      await listener.settled();
      let number = 0;
      const publishing = setInterval(() => {
        for (let each = 0; each < 20; each++) {
          table.push([row('user-1', number++), row('user-1', number++)]);
          teller.publish(tick(table.length), table.at(-1) ?? []);
        }
      }, 1);
      for (let kill = 0; kill < 3; kill++) {
        const enough = taken.length + 500;
        await expect.poll(() => taken.length, { timeout: 15_000 }).toBeGreaterThan(enough);
        await mortal.kill();
        await expect.poll(() => listener.healthy() || teller.healthy()).toBe(false);
        await mortal.start();
      }
      const enough = taken.length + 500;
      await expect.poll(() => taken.length, { timeout: 15_000 }).toBeGreaterThan(enough);
      clearInterval(publishing);
      await expect.poll(() => taken.length, { timeout: 5_000 }).toBe(number);
      expect(taken).toEqual(Array.from({ length: number }, (_, index) => index));
      await expect.poll(() => listener.healthy() && teller.healthy(), { timeout: 5_000 }).toBe(true);
    });

    it('keeps telling its own process while the server is away, and has others look for themselves after', async () => {
      const [teller, listener] = await pair(mortal);
      const own: number[] = [];
      const others: string[] = [];
      teller.onTick(({ batch }) => own.push(batch));
      listener.onTick(({ batch }) => others.push(`tick ${batch}`));
      listener.onInterruption(() => others.push('interruption'));
      await listener.settled();
      await mortal.kill();
      await expect.poll(() => teller.healthy() || listener.healthy()).toBe(false);
      for (let batch = 1; batch <= 3; batch++) teller.publish(tick(batch), []);
      expect(own).toEqual([1, 2, 3]);
      await mortal.start();
      await expect.poll(() => teller.healthy() && listener.healthy()).toBe(true);
      teller.publish(tick(4), []);
      await expect.poll(() => others.at(-1)).toBe('tick 4');
      expect(others[0]).toBe('interruption');
      // The last one least of all: it is told again without its rows, and would pass for an empty batch.
      expect(others.filter((heard) => heard !== 'interruption')).toEqual(['tick 4']);
    });

    it('notices a frozen server in seconds', { timeout: 30_000 }, async () => {
      const [bus] = await pair(mortal);
      mortal.freeze();
      await expect.poll(() => bus.healthy(), { timeout: 10_000 }).toBe(false);
      mortal.thaw();
      await expect.poll(() => bus.healthy(), { timeout: 10_000 }).toBe(true);
    });

    it('starts without a server, is unhealthy, and tells of an interruption when there is one', async () => {
      const late = await natsServer();
      prefix = `test-${randomUUID()}`;
      const bus = await opened(late);
      expect(bus.healthy()).toBe(false);
      const heard: string[] = [];
      bus.onTick(({ batch }) => heard.push(`tick ${batch}`));
      bus.onInterruption(() => heard.push('interruption'));
      await late.start();
      await expect.poll(() => bus.healthy(), { timeout: 10_000 }).toBe(true);
      expect(heard).toEqual(['interruption']);
      const other = await opened(late);
      other.publish(tick(1), []);
      await expect.poll(() => heard.at(-1)).toBe('tick 1');
      await late.kill();
    });
  });

  it('does not start where the server refuses it, and starts with the right credentials', async () => {
    const guarded = await natsServer('--user', 'bubble', '--pass', 'right');
    await guarded.start();
    prefix = `test-${randomUUID()}`;
    await expect(opened(guarded)).rejects.toThrow(/refuses/);
    const withPassword = guarded.url.replace('//', '//bubble:right@');
    const bus = await opened({ ...guarded, url: withPassword });
    expect(bus.healthy()).toBe(true);
    await guarded.kill();
  });
});
