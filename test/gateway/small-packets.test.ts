import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Client } from './client.ts';
import { app, Installation, type RunningGateway } from './harness.ts';

/**
 * A network namespace whose only link is a pair of virtual cards with packets of 1,500 bytes, as networks have them:
 * loopback has 65,536, and buffers far more of one write.
 */
const number = process.pid % 16_000;
const namespace = `bubble-${process.pid}`;
const [outside, inside] = [`bub${number}o`, `bub${number}i`];
/** Of the range for tests of network devices, which is routed nowhere. */
const host = `198.18.${number >> 6}.${((number & 63) << 2) + 1}`;
const guest = `198.18.${number >> 6}.${((number & 63) << 2) + 2}`;
const ip = (line: string) => execFileSync('ip', line.split(' '), { stdio: 'ignore' });

function isolate(): boolean {
  if (process.getuid?.() !== 0) return false;
  try {
    ip(`netns add ${namespace}`);
    ip(`link add ${outside} mtu 1500 type veth peer name ${inside} mtu 1500 netns ${namespace}`);
    ip(`address add ${host}/30 dev ${outside}`);
    ip(`link set ${outside} up`);
    ip(`-n ${namespace} address add ${guest}/30 dev ${inside}`);
    ip(`-n ${namespace} link set ${inside} up`);
    return true;
  } catch {
    return false;
  }
}
function joinAgain(): void {
  try {
    ip(`netns delete ${namespace}`);
  } catch {
    // It was not made.
  }
}

const isolated = isolate();
afterAll(joinAgain);

const channel = 'private-group-50';
const Frame = z.object({ event: z.string(), channel: z.string().optional(), data: z.unknown() });
const Numbered = z.object({ number: z.number(), position: z.string() });

/** A client in the namespace: a process of its own, which reads all the time. */
class Reader {
  readonly frames: z.infer<typeof Frame>[] = [];
  readonly #process: ChildProcess;

  constructor(port: number, token: string, since?: string) {
    const program = fileURLToPath(new URL('small-packets-reader.ts', import.meta.url));
    const more = since === undefined ? [] : [since];
    const words = [
      'netns',
      'exec',
      namespace,
      process.execPath,
      program,
      `${host}:${port}`,
      app.key,
      token,
      channel,
      ...more,
    ];
    const started = spawn('ip', words, { stdio: ['ignore', 'pipe', 'inherit'] });
    createInterface(started.stdout).on('line', (line) => this.frames.push(Frame.parse(JSON.parse(line))));
    this.#process = started;
  }

  /** The data of the received events of this name, in order. */
  received(event: string): unknown[] {
    return this.frames.flatMap((frame) => {
      if (frame.event !== event) return [];
      return [typeof frame.data === 'string' ? JSON.parse(frame.data) : frame.data];
    });
  }

  stop(): void {
    this.#process.kill('SIGKILL');
  }
}

const patiently = { timeout: 20_000, interval: 20 };

describe.skipIf(!isolated)('on a network with packets of 1,500 bytes (needs root and iproute2)', () => {
  let installation: Installation;
  let running: RunningGateway;
  let token: string;
  beforeAll(async () => {
    installation = await Installation.open();
    token = await installation.register(9);
    await installation.register(10);
    await installation.createGroup(50, [9, 10]);
    running = await installation.start({}, undefined, { host: '0.0.0.0' });
    return () => installation.close();
  });
  /** The longest possible messages, each with a quote: some 64 KB in a frame. */
  const quotes = '"'.repeat(8_000);
  const messages = (first: number) =>
    Array.from({ length: 60 }, (_, index) => ({
      ...{ channel: 'group-50', event: 'message' },
      data: { number: first + index, content: quotes, quote_content: quotes },
    }));
  const numbers = (count: number, first = 0) => Array.from({ length: count }, (_, index) => first + index);
  const numbersOf = (reader: Reader) => reader.received('message').map((data) => Numbered.parse(data).number);

  test('a client that reads is not cut off by sixty long messages and client events, and resumes', async () => {
    const since = installation.end();
    const reader = new Reader(running.port, token);
    await expect
      .poll(() => reader.received('pusher_internal:subscription_succeeded'), patiently)
      .toEqual([{}]);
    const sender = await Client.connect(running.port);
    sender.askSigned(channel, { user_id: '10' });
    await sender.subscribed(channel);
    await installation.commit(messages(0));
    const long = { event: 'client-long', channel, data: 'x'.repeat(100_000) };
    for (let time = 0; time < 10; time++) sender.send(long);
    for (const { data } of await sender.receivedTimes('pusher:error', 10)) {
      expect(data).toEqual({ code: 4301, message: 'the data is too long' });
    }
    await installation.commit(messages(60));
    await expect.poll(() => numbersOf(reader), patiently).toEqual(numbers(120));
    expect(reader.received('closed')).toEqual([]);
    reader.stop();
    const positions = reader.received('message').map((data) => Numbered.parse(data).position);
    for (const [from, missed] of [
      [since, numbers(120)],
      [positions[29], numbers(90, 30)],
      [positions[89], numbers(30, 90)],
    ] as const) {
      const again = new Reader(running.port, token, from);
      await expect.poll(() => numbersOf(again), patiently).toEqual(missed);
      expect([...again.received('closed'), ...again.received('reset')]).toEqual([]);
      again.stop();
    }
    await sender.close();
  }, 60_000);
});
