import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PushRow } from '../../contracts/push/row.ts';
import { type NatsServer, natsServer, natsServerIsInstalled } from '../support/nats.ts';
import { row, tick, useNatsBuses } from './nats-harness.ts';

describe.skipIf(!natsServerIsInstalled)('the bus over NATS (needs nats-server)', () => {
  let server: NatsServer;
  const { open, freshPrefix, pair } = useNatsBuses();

  beforeAll(async () => {
    server = await natsServer();
    await server.start();
  });
  afterAll(() => server.kill());

  it('delivers the rows of the channels that a process listens to, then the tick', async () => {
    const [sender, listener] = await pair(server);
    const received: string[] = [];
    const oddName = 'presence-群 *.>"1"';
    listener.onTick(({ batch, checkpoint }) => received.push(`tick ${batch} ${checkpoint}`));
    listener.onChannel('user-1', ({ number }) => received.push(`one ${number}`));
    listener.onChannel(oddName, ({ number }) => received.push(`odd ${number}`));
    await listener.settled();
    const data = JSON.stringify({ text: '\u0000 好 \\ud800 "' });
    const whole: PushRow[] = [];
    listener.onChannel('user-1', (each) => whole.push(each));
    sender.publish(tick(1), [row('user-1', 0, data), row('user-2', 1), row(oddName, 2), row('user-1', 3)]);
    sender.publish(tick(2), []);
    await expect.poll(() => received).toEqual(['one 0', 'odd 2', 'one 3', 'tick 1 1', 'tick 2 2']);
    expect(whole[0]).toEqual(row('user-1', 0, data));
  });

  it('ignores another installation with the same prefix, and logs that once', async () => {
    const logged: string[] = [];
    const collector = pino({ level: 'warn' }, { write: (line) => void logged.push(line) });
    freshPrefix();
    const [ours, others, another] = [
      await open(server, 'ours', collector),
      await open(server, 'others'),
      await open(server, 'others'),
    ];
    const received: unknown[] = [];
    const batches: number[] = [];
    ours.onTick((each) => received.push(each));
    ours.onChannel('user-1', (each) => received.push(each));
    ours.onSignal('sessions', (each) => received.push(each));
    another.onTick(({ batch }) => batches.push(batch));
    await Promise.all([ours.settled(), another.settled()]);
    others.publish(tick(1), [row('user-1', 0)]);
    others.signal('sessions', { kind: 'user ended', uid: 1 });
    others.publish(tick(2), [row('user-1', 1)]);
    await expect.poll(() => batches).toEqual([1, 2]);
    await expect.poll(() => logged).toHaveLength(1);
    expect(logged[0]).toMatch(/another installation uses the same NATS and APP_ID/);
    expect(received).toEqual([]);
  });

  it('delivers to its own process at once, and only once', async () => {
    const [bus, other] = await pair(server);
    const received: string[] = [];
    bus.onTick(({ batch }) => received.push(`tick ${batch}`));
    bus.onChannel('user-1', ({ number }) => received.push(`row ${number}`));
    bus.onSignal('sessions', ({ kind }) => received.push(kind));
    await bus.settled();
    bus.publish(tick(1), [row('user-1', 0)]);
    bus.signal('sessions', { kind: 'user ended', uid: 1 });
    expect(received).toEqual(['row 0', 'tick 1', 'user ended']);
    // A message from another process arrives after any echo of these.
    other.publish(tick(2), []);
    await expect.poll(() => received.at(-1)).toBe('tick 2');
    expect(received).toHaveLength(4);
  });

  it('delivers each kind of signal unchanged, to the listeners of its topic', async () => {
    const [sender, listener] = await pair(server);
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
    const received: unknown[] = [];
    const elsewhere: unknown[] = [];
    listener.onSignal('channel-a.b', (signal) => received.push(signal));
    listener.onSignal('channel-a', (signal) => elsewhere.push(signal));
    await listener.settled();
    for (const signal of signals) sender.signal('channel-a.b', signal);
    await expect.poll(() => received).toEqual(signals);
    expect(elsewhere).toEqual([]);
  });

  it('delivers nothing to processes with another prefix on the same server', async () => {
    const [sender, listener] = await pair(server);
    const [stranger] = await pair(server);
    const received: string[] = [];
    stranger.onTick(() => received.push('stranger'));
    listener.onTick(() => received.push('listener'));
    await Promise.all([stranger.settled(), listener.settled()]);
    sender.publish(tick(1), []);
    await expect.poll(() => received).toEqual(['listener']);
    await stranger.settled();
    expect(received).toEqual(['listener']);
  });

  it('delivers nothing to a removed listener, and everything to others of its channel', async () => {
    const [sender, listener] = await pair(server);
    const received: string[] = [];
    const stop = listener.onChannel('user-1', () => received.push('first'));
    listener.onChannel('user-1', () => received.push('second'));
    await listener.settled();
    stop();
    stop();
    sender.publish(tick(1), [row('user-1', 0)]);
    await expect.poll(() => received).toEqual(['second']);
  });

  it('interrupts listeners for a row that is too large for the server, and continues', async () => {
    const [sender, listener] = await pair(server);
    const received: string[] = [];
    listener.onTick(({ batch }) => received.push(`tick ${batch}`));
    listener.onChannel('user-1', ({ number }) => received.push(`row ${number}`));
    listener.onInterruption(() => received.push('interruption'));
    await listener.settled();
    sender.publish(tick(1), [row('user-1', 0, JSON.stringify('x'.repeat(2_000_000))), row('user-1', 1)]);
    sender.publish(tick(2), [row('user-1', 0)]);
    await expect.poll(() => received).toEqual(['interruption', 'row 1', 'tick 1', 'row 0', 'tick 2']);
    expect(sender.healthy()).toBe(true);
  });

  it('ignores a message that it cannot read, and interrupts listeners', async () => {
    const prefix = freshPrefix();
    const listener = await open(server);
    const { connect } = await import('nats');
    const stranger = await connect({ servers: server.url });
    const received: string[] = [];
    listener.onTick(({ batch }) => received.push(`tick ${batch}`));
    listener.onInterruption(() => received.push('interruption'));
    await listener.settled();
    stranger.publish(`${prefix}.tick`, '{"batch":"one"}');
    stranger.publish(`${prefix}.tick`, JSON.stringify({ ...tick(3), installation: 'ours' }));
    await expect.poll(() => received).toEqual(['interruption', 'tick 3']);
    await stranger.close();
  });
});
