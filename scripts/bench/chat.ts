import { once } from 'node:events';
import { type Command, InvalidArgumentError } from 'commander';
import { WebSocket } from 'ws';
import { HttpConnection } from './http-connection.ts';
import type { Bench } from './main.ts';
import { callAsServer, makePeople, type Person } from './people.ts';
import { type RunningProgram, startProgram } from './program.ts';

export const bench: Bench = {
  summary: 'pairs that send over HTTP, wait for the websocket, and send again',
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
  const program = await startProgram(port);
  try {
    const people = await makePeople(program, Math.max(...pairCounts) * 2);
    const pairs = await Promise.all(
      Array.from({ length: people.length / 2 }, (_, index) =>
        join(program, people[2 * index], people[2 * index + 1]),
      ),
    );
    await run(pairs.slice(0, 20), 2000);
    console.log('pairs   messages/s   p50 ms   p95 ms   p99 ms   max ms');
    for (const count of pairCounts) {
      const began = performance.now();
      const latencies = (await run(pairs.slice(0, count), seconds * 1000)).sort((one, other) => one - other);
      const elapsed = (performance.now() - began) / 1000;
      const at = (share: number) =>
        (latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? Number.NaN)
          .toFixed(2)
          .padStart(8);
      const rate = Math.round(latencies.length / elapsed);
      console.log(
        `${String(count).padStart(5)} ${String(rate).padStart(12)} ${at(0.5)} ${at(0.95)} ${at(0.99)} ${at(1)}`,
      );
    }
    for (const pair of pairs) pair.close();
  } finally {
    await program.stop();
  }
}

interface Pair {
  /** Sends once and waits for the answer and the push: how long the push took, in milliseconds. */
  exchange(): Promise<number>;
  close(): void;
}

/** Makes two people friends; one sends over a connection of its own, the other listens on a socket. */
async function join(program: RunningProgram, from?: Person, to?: Person): Promise<Pair> {
  if (!from || !to) throw new Error('a pair needs two');
  await callAsServer(program, '/friend/add', { login_uid: from.uid, friend_uid: to.uid });
  const connection = await HttpConnection.open(program.port);
  const channel = `user-${to.uid}`;
  const socket = new WebSocket(
    `ws://127.0.0.1:${program.port}/app/${program.key}?protocol=7&client=bench&version=1&token=${to.token}`,
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
