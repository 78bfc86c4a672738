import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { authOf, channelText } from '../../services/gateway/signature.ts';
import { HttpConnection } from './http-connection.ts';
import { ListeningSocket } from './listening-socket.ts';
import type { Bench } from './main.ts';
import { callAsServer } from './people.ts';
import { type RunningProgram, startProgram } from './program.ts';

export const bench: Bench = {
  summary: 'messages to a group whose members all listen, beside a bare ws broadcast of the same bytes',
  options: (command: Command) =>
    command
      .option('--members <list>', 'how many members, comma between', numbers, [100, 500, 1000])
      .option('--on-the-way <n>', 'how many messages are on the way at any time', Number, 16)
      .option('--seconds <n>', 'how long each figure is measured', Number, 5)
      .option('--rounds <n>', 'how often, alternating; the median counts', Number, 3)
      .option('--port <n>', 'where bubble-im listens meanwhile', Number, 8798),
  run: async ({ members, onTheWay, seconds, rounds, port }) =>
    measure(z.array(z.number()).parse(members), {
      onTheWay: Number(onTheWay),
      milliseconds: Number(seconds) * 1000,
      rounds: Number(rounds),
      port: Number(port),
    }),
};

interface Load {
  readonly onTheWay: number;
  readonly milliseconds: number;
  readonly rounds: number;
  readonly port: number;
}

function numbers(text: string): number[] {
  const list = text.split(',').map(Number);
  if (list.every((count) => Number.isInteger(count) && count > 1 && count <= 1000)) return list;
  throw new InvalidArgumentError('whole numbers from 2 to 1000, comma between');
}

interface Figures {
  readonly perSecond: number;
  readonly p99: number;
}

/** Something that gives what is sent out to all sockets. */
interface Broadcast {
  readonly sockets: readonly ListeningSocket[];
  /** Sends one message; `mark` stands in what the sockets get. */
  send(mark: string): Promise<void>;
  close(): void;
}

async function measure(counts: readonly number[], load: Load): Promise<void> {
  const program = await startProgram(load.port);
  try {
    const uids = await makeMembers(program, Math.max(...counts));
    console.log('members   gateway/s   p99 ms      bare/s   p99 ms   ratio');
    for (const count of counts) {
      const gateway: Figures[] = [];
      const bare: Figures[] = [];
      const group = await openGroup(program, uids.slice(0, count), load);
      const frame = await sampleFrame(group);
      const plain = await openBare(count, frame);
      await run(group, { ...load, milliseconds: 1000 });
      await run(plain, { ...load, milliseconds: 1000 });
      for (let round = 0; round < load.rounds; round++) {
        gateway.push(await run(group, load));
        bare.push(await run(plain, load));
      }
      group.close();
      plain.close();
      print(count, median(gateway), median(bare));
    }
  } finally {
    await program.stop();
  }
}

async function makeMembers(program: RunningProgram, count: number): Promise<number[]> {
  const mark = Date.now().toString(36);
  const uids: number[] = [];
  const inARow = 8;
  for (let begin = 0; begin < count; begin += inARow) {
    const names = Array.from(
      { length: Math.min(inARow, count - begin) },
      (_, index) => `m${mark}x${begin + index}`,
    );
    const made = await Promise.all(
      names.map((username) =>
        callAsServer(program, '/user/add', { username, nickname: username, password: 'benchmark' }),
      ),
    );
    uids.push(...made.map((data) => z.object({ uid: z.coerce.number() }).parse(data).uid));
  }
  return uids;
}

async function openGroup(
  program: RunningProgram,
  uids: readonly number[],
  { onTheWay }: Load,
): Promise<Broadcast> {
  const [owner] = uids;
  const data = await callAsServer(program, '/group/create', { login_uid: owner, members: uids.slice(1) });
  const { gid } = z.object({ gid: z.coerce.number() }).parse(data);
  const sockets = await Promise.all(uids.map((uid) => openMember(program, gid, uid)));
  const senders = await Promise.all(
    Array.from({ length: onTheWay }, () => HttpConnection.open(program.port)),
  );
  const headers = `X-App-Key: ${program.key}\r\nX-App-Secret: ${program.secret}\r\n`;
  return {
    sockets,
    async send(mark) {
      const sender = senders.pop();
      if (sender === undefined) throw new Error('more on the way than there are senders');
      const message = {
        login_uid: owner,
        to: gid,
        type: 'group',
        content: `a message of some length ${mark}`,
      };
      const answer = await sender.post('/api/message/send', headers, JSON.stringify(message));
      senders.push(sender);
      if (!answer.startsWith('{"code":0,')) throw new Error(answer);
    },
    close() {
      for (const socket of [...sockets, ...senders]) socket.close();
    },
  };
}

async function openMember(program: RunningProgram, gid: number, uid: number): Promise<ListeningSocket> {
  const { key, secret, port } = program;
  const socket = await ListeningSocket.open(port, `/app/${key}?protocol=7`);
  const established = await socket.frameWith('connection_established');
  const socketId = /(\d+\.\d+)/.exec(established.toString())?.[1] ?? '';
  const channel = `private-group-${gid}`;
  const channel_data = JSON.stringify({ user_id: String(uid) });
  const auth = authOf({ id: '', key, secret }, channelText(socketId, channel, channel_data));
  const subscribed = socket.frameWith('subscription_succeeded');
  socket.send(JSON.stringify({ event: 'pusher:subscribe', data: { channel, auth, channel_data } }));
  await subscribed;
  return socket;
}

/** What one message looks like to a socket. */
async function sampleFrame(group: Broadcast): Promise<string> {
  const frames = group.sockets.map((socket) => socket.frameWith('#0000000#'));
  await group.send('#0000000#');
  const [frame] = await Promise.all(frames);
  return frame?.toString() ?? '';
}

async function openBare(count: number, frame: string): Promise<Broadcast> {
  const child = fork(join(import.meta.dirname, 'bare-broadcast.ts'));
  const [address]: unknown[] = await once(child, 'message');
  const { port } = z.object({ port: z.number() }).parse(address);
  const sockets = await Promise.all(Array.from({ length: count }, () => ListeningSocket.open(port, '/')));
  return {
    sockets,
    async send(mark) {
      sockets[0]?.send(frame.replace('#0000000#', mark));
    },
    close() {
      for (const socket of sockets) socket.close();
      child.disconnect();
    },
  };
}

/** Sends on and on; a message has arrived when every socket has it. */
async function run({ sockets, send }: Broadcast, { onTheWay, milliseconds }: Load): Promise<Figures> {
  const latencies: number[] = [];
  const open = new Map<string, { began: number; missing: number; arrived: () => void }>();
  for (const socket of sockets) {
    socket.onFrame = (payload) => {
      const at = payload.indexOf('#');
      const message = at < 0 ? undefined : open.get(payload.toString('latin1', at, at + 9));
      if (message === undefined) return;
      latencies.push(performance.now() - message.began);
      message.missing -= 1;
      if (message.missing === 0) message.arrived();
    };
  }
  let sent = 0;
  const began = performance.now();
  const exchange = async () => {
    while (performance.now() - began < milliseconds) {
      sent += 1;
      const mark = `#${String(sent).padStart(7, '0')}#`;
      const { promise, resolve } = Promise.withResolvers<void>();
      open.set(mark, { began: performance.now(), missing: sockets.length, arrived: resolve });
      await Promise.all([send(mark), promise]);
      open.delete(mark);
    }
  };
  await Promise.all(Array.from({ length: onTheWay }, exchange));
  const elapsed = (performance.now() - began) / 1000;
  latencies.sort((one, other) => one - other);
  return { perSecond: latencies.length / elapsed, p99: latencies[Math.floor(latencies.length * 0.99)] ?? 0 };
}

function median(figures: readonly Figures[]): Figures {
  const sorted = [...figures].sort((one, other) => one.perSecond - other.perSecond);
  return sorted[Math.floor(sorted.length / 2)] ?? { perSecond: 0, p99: 0 };
}

function print(members: number, gateway: Figures, bare: Figures): void {
  const whole = (value: number, width: number) => String(Math.round(value)).padStart(width);
  console.log(
    `${whole(members, 7)} ${whole(gateway.perSecond, 11)} ${gateway.p99.toFixed(1).padStart(8)} ` +
      `${whole(bare.perSecond, 11)} ${bare.p99.toFixed(1).padStart(8)} ${(gateway.perSecond / bare.perSecond).toFixed(2).padStart(7)}`,
  );
}
