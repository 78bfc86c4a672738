import { once } from 'node:events';
import { WebSocket } from 'ws';
import { pingFrame, pongFrame } from '../../contracts/push/protocol.ts';
import { HttpConnection } from './http-connection.ts';
import type { Person } from './people.ts';
import type { ProcessorTime } from './processor-time.ts';

/** Where a pair connects to. */
export interface Target {
  readonly port: number;
  readonly key: string;
  /** Of the websocket, if another process serves it. */
  readonly socketPort?: number;
}

/**
 * Connects people two by two.
 * @param target where the pair of this number connects to
 */
export async function connectPairs(
  target: Target | ((pair: number) => Target),
  people: readonly Person[],
  acquaint: (from: Person, to: Person) => Promise<void> = async () => {},
): Promise<Pair[]> {
  const pairs: Promise<Pair>[] = [];
  for (let index = 0; index < people.length; index += 2) {
    const [from, to] = [people[index], people[index + 1]];
    const at = typeof target === 'function' ? target(index / 2) : target;
    if (from && to) pairs.push(acquaint(from, to).then(() => connect(at, from, to)));
  }
  return Promise.all(pairs);
}

/** One who sends and one who listens. */
export interface Pair {
  /**
   * Sends once and waits for the answer and the push: how long the push took, in milliseconds.
   * @throws Error if the message is refused, or a push comes twice or in another order
   */
  exchange(): Promise<number>;
  close(): void;
}

/** One sends over a connection of its own, the other listens on a socket. */
async function connect(target: Target, from: Person, to: Person): Promise<Pair> {
  const connection = await HttpConnection.open(target.port);
  const channel = `user-${to.uid}`;
  const socket = new WebSocket(
    `ws://127.0.0.1:${target.socketPort ?? target.port}/app/${target.key}?protocol=7&client=bench&version=1&token=${to.token}`,
  );
  let onPush: ((frame: string) => void) | undefined;
  /** A push for which nobody waits: one that comes a second time. */
  let unexpected: string | undefined;
  let subscribed: (() => void) | undefined;
  socket.on('message', (data) => {
    const frame = data.toString();
    if (frame.includes('"event":"message"')) {
      if (onPush) onPush(frame);
      else unexpected = frame;
    } else if (frame === pingFrame) socket.send(pongFrame);
    else if (frame.includes('subscription_succeeded')) subscribed?.();
  });
  await once(socket, 'open');
  const ready = new Promise<void>((resolve) => {
    subscribed = resolve;
  });
  socket.send(JSON.stringify({ event: 'pusher:subscribe', data: { channel } }));
  await ready;
  const headers = `Authorization: Bearer ${from.token}\r\n`;
  let count = 0;
  return {
    async exchange() {
      if (unexpected !== undefined) throw new Error(`a push came twice: ${unexpected}`);
      const content = `message ${++count} of ${from.uid}`;
      const began = performance.now();
      const pushed = new Promise<number>((resolve, reject) => {
        onPush = (frame) => {
          onPush = undefined;
          if (frame.includes(content)) resolve(performance.now() - began);
          else reject(new Error(`expected ${content}, received ${frame}`));
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

/** Has the pairs exchange messages for some time: how long each push took, in milliseconds. */
export async function runPairs(pairs: readonly Pair[], milliseconds: number): Promise<number[]> {
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

/** The heads of the columns of `reportPairs`. */
export const pairsHeader = 'pairs   messages/s   p50 ms   p95 ms   p99 ms   max ms';

/** A process, or several, whose processor time is shown. */
export interface Worker {
  readonly name: string;
  /** How much it has used so far; undefined if the system does not say it. */
  readonly used: () => Promise<ProcessorTime | undefined>;
}

/**
 * Prints what the pairs exchange in some time, as a row below `pairsHeader`.
 * @param workers whose processor time for a message is printed below the row
 */
export async function reportPairs(
  pairs: readonly Pair[],
  seconds: number,
  remark: string,
  workers: readonly Worker[] = [],
): Promise<void> {
  const before = await Promise.all(workers.map(({ used }) => used()));
  const began = performance.now();
  const latencies = (await runPairs(pairs, seconds * 1000)).sort((one, other) => one - other);
  const elapsed = (performance.now() - began) / 1000;
  const after = await Promise.all(workers.map(({ used }) => used()));
  const at = (share: number) =>
    (latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? Number.NaN)
      .toFixed(2)
      .padStart(8);
  const rate = String(Math.round(latencies.length / elapsed)).padStart(12);
  const count = String(pairs.length).padStart(5);
  console.log(`${count} ${rate} ${at(0.5)} ${at(0.95)} ${at(0.99)} ${at(1)}${remark}`);
  const costs = workers.flatMap(({ name }, index) => {
    const cost = costOfOne(before[index], after[index], latencies.length);
    return cost === undefined ? [] : [`${name} ${cost}`];
  });
  if (costs.length > 0) console.log(`      µs of processor time a message, user+system: ${costs.join(', ')}`);
}

/** The processor time of one message, in microseconds. */
function costOfOne(before: ProcessorTime | undefined, after: ProcessorTime | undefined, messages: number) {
  if (before === undefined || after === undefined) return undefined;
  const each = (ms: number) => Math.round((ms * 1_000) / messages);
  return `${each(after.user - before.user)}+${each(after.system - before.system)}`;
}
