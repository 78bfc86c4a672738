import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { WebSocket } from 'ws';
import { HttpConnection } from './http-connection.ts';
import type { Bench } from './main.ts';
import { callAsServer, makePeople, type Person } from './people.ts';
import { type RunningProgram, startProgram } from './program.ts';

export const bench: Bench = {
  summary: 'pairs that send over HTTP, wait for the websocket, and send again; beside a bare relay',
  options: (command: Command) =>
    command
      .option('--pairs <list>', 'how many pairs, comma between', numbers, [2, 50, 150])
      .option('--seconds <n>', 'how long each figure is measured', Number, 10)
      .option('--port <n>', 'where bubble-im listens meanwhile', Number, 8799),
  run: async ({ pairs, seconds, port }) => measure(numbersOf(pairs), Number(seconds), Number(port)),
};

function numbers(text: string): number[] {
  const list = text.split(',').map(Number);
  if (!list.every((count) => Number.isInteger(count) && count > 0)) {
    throw new InvalidArgumentError('whole numbers, comma between');
  }
  return list;
}

const numbersOf = (value: unknown): number[] => (Array.isArray(value) ? value.map(Number) : []);

async function measure(pairCounts: readonly number[], seconds: number, port: number): Promise<void> {
  const most = Math.max(...pairCounts);
  const relay = await startRelay(port + 1);
  const program = await startProgram(port);
  try {
    const people = await makePeople(program, most * 2);
    const real = await connectAll(program, people, async (from, to) => {
      await callAsServer(program, '/friend/add', { login_uid: from.uid, friend_uid: to.uid });
    });
    const strangers = people.map((_, index) => ({ uid: index + 1, username: 'none', token: 'none' }));
    const bare = await connectAll({ port: port + 1, key: 'bare' }, strangers);
    // Until the code that runs is compiled.
    await run(real.slice(0, 50), 6000);
    await run(bare.slice(0, 50), 2000);
    console.log('pairs   messages/s   p50 ms   p95 ms   p99 ms   max ms');
    for (const count of pairCounts) {
      await report(real.slice(0, count), seconds, '');
      await report(bare.slice(0, count), seconds / 2, '   a bare relay that stores nothing');
    }
    for (const pair of [...real, ...bare]) pair.close();
  } finally {
    relay.kill();
    await program.stop();
  }
}

async function report(pairs: readonly Pair[], seconds: number, remark: string): Promise<void> {
  const began = performance.now();
  const latencies = (await run(pairs, seconds * 1000)).sort((one, other) => one - other);
  const elapsed = (performance.now() - began) / 1000;
  const at = (share: number) =>
    (latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? Number.NaN)
      .toFixed(2)
      .padStart(8);
  const rate = String(Math.round(latencies.length / elapsed)).padStart(12);
  const count = String(pairs.length).padStart(5);
  console.log(`${count} ${rate} ${at(0.5)} ${at(0.95)} ${at(0.99)} ${at(1)}${remark}`);
}

/** Starts the bare relay in a process of its own. */
async function startRelay(port: number): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'bare-relay.ts'), String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('the bare relay did not start')));
  if (child.stdout) await Promise.race([once(child.stdout, 'data'), ended]);
  return child;
}

/** Where a pair connects to. */
type Target = Pick<RunningProgram, 'port' | 'key'>;

/** Connects people two by two. */
async function connectAll(
  target: Target,
  people: readonly Person[],
  acquaint: (from: Person, to: Person) => Promise<void> = async () => {},
): Promise<Pair[]> {
  const pairs: Promise<Pair>[] = [];
  for (let index = 0; index < people.length; index += 2) {
    const [from, to] = [people[index], people[index + 1]];
    if (from && to) pairs.push(acquaint(from, to).then(() => connect(target, from, to)));
  }
  return Promise.all(pairs);
}

interface Pair {
  /** Sends once and waits for the answer and the push: how long the push took, in milliseconds. */
  exchange(): Promise<number>;
  close(): void;
}

/** One sends over a connection of its own, the other listens on a socket. */
async function connect(target: Target, from: Person, to: Person): Promise<Pair> {
  const connection = await HttpConnection.open(target.port);
  const channel = `user-${to.uid}`;
  const socket = new WebSocket(
    `ws://127.0.0.1:${target.port}/app/${target.key}?protocol=7&client=bench&version=1&token=${to.token}`,
  );
  let heard: ((frame: string) => void) | undefined;
  let subscribed: (() => void) | undefined;
  socket.on('message', (data) => {
    const frame = data.toString();
    if (frame.includes('"event":"message"')) heard?.(frame);
    else if (frame.includes('subscription_succeeded')) subscribed?.();
  });
  await once(socket, 'open');
  const standing = new Promise<void>((resolve) => {
    subscribed = resolve;
  });
  socket.send(JSON.stringify({ event: 'pusher:subscribe', data: { channel } }));
  await standing;
  const headers = `Authorization: Bearer ${from.token}\r\n`;
  let count = 0;
  return {
    async exchange() {
      const content = `message ${++count} of ${from.uid}`;
      const began = performance.now();
      const pushed = new Promise<number>((resolve, reject) => {
        heard = (frame) => {
          if (frame.includes(content)) resolve(performance.now() - began);
          else reject(new Error(`expected ${content}, heard ${frame}`));
        };
      });
      const sent = connection.post(
        '/api/message/send',
        headers,
        JSON.stringify({ to: to.uid, type: 'friend', content }),
      );
      const [latency, answer] = await Promise.all([pushed, sent]);
      if (!answer.startsWith('{"code":0,')) throw new Error(answer);
      return latency;
    },
    close() {
      connection.close();
      socket.terminate();
    },
  };
}

async function run(pairs: readonly Pair[], milliseconds: number): Promise<number[]> {
  const end = performance.now() + milliseconds;
  const latencies = await Promise.all(
    pairs.map(async (pair) => {
      const own: number[] = [];
      while (performance.now() < end) own.push(await pair.exchange());
      return own;
    }),
  );
  return latencies.flat();
}
