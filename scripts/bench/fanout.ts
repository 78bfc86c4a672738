import { cpus } from 'node:os';
import { type Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { type Broadcast, openBare, openGroup } from './broadcasts.ts';
import type { Bench } from './main.ts';
import { callAsServer } from './people.ts';
import { type RunningProgram, startProgram } from './program.ts';

export const bench: Bench = {
  summary: 'messages to a group whose members all listen, beside a bare ws broadcast of the same bytes',
  options: (command: Command) =>
    command
      .option('--members <list>', 'how many members, comma between', numbers, [100, 500, 1000])
      .option('--on-the-way <list>', 'how many messages are on the way at any time', numbers, [4, 16])
      .option('--seconds <n>', 'how long each figure is measured', Number, 2)
      .option('--rounds <n>', 'how often, alternating; the median counts', Number, 3)
      .option('--port <n>', 'where bubble-im listens meanwhile', Number, 8798),
  run: async ({ members, onTheWay, seconds, rounds, port }) =>
    measure(z.array(z.number()).parse(members), {
      onTheWay: z.array(z.number()).parse(onTheWay),
      milliseconds: Number(seconds) * 1000,
      rounds: Number(rounds),
      port: Number(port),
    }),
};

interface Load {
  readonly onTheWay: readonly number[];
  readonly milliseconds: number;
  readonly rounds: number;
  readonly port: number;
}

function numbers(text: string): number[] {
  const list = text.split(',').map(Number);
  if (list.every((count) => Number.isInteger(count) && count > 0 && count <= 1000)) return list;
  throw new InvalidArgumentError('whole numbers from 1 to 1000, comma between');
}

interface Figures {
  readonly perSecond: number;
  readonly p99: number;
  /** The share of the machine's processors that was busy. */
  readonly busy: number;
}

const explanation = `
messages: sent over HTTP, stored, projected, pushed. What storing one costs, and its two commits one after the
  other, is the same for any number of members: with few of them and few on the way it is most of the time,
  the processors are not all busy, and the ratio says little of the gateway.
events: the same bytes to the same sockets, triggered over HTTP, stored nowhere: the gateway alone.
bare: a ws server that sends to each of its clients, fed by one of them.
Deliveries a second; p99 in milliseconds.
`;
const warmUp = 5_000;
/** A message that takes longer counts as lost. */
const deliveryTimeoutMs = 10_000;

async function measure(counts: readonly number[], load: Load): Promise<void> {
  const program = await startProgram(load.port);
  const most = Math.max(...load.onTheWay);
  try {
    const uids = await makeMembers(program, Math.max(...counts));
    console.log(explanation);
    console.log(
      'members  on the way   messages/s    p99  busy  ratio     events/s    p99  ratio       bare/s    p99',
    );
    for (const [index, count] of counts.entries()) {
      const group = await openGroup(program, uids.slice(0, count), most);
      const bare = await openBare(count, group.frame);
      const sides = [group.messages, group.events, bare];
      // Until the code that runs is compiled, on either side.
      for (const side of sides) await run(side, most, index === 0 ? warmUp : 1_000);
      for (const onTheWay of load.onTheWay) {
        const figures: Figures[][] = sides.map(() => []);
        for (let round = 0; round < load.rounds; round++) {
          for (const [at, side] of sides.entries())
            figures[at]?.push(await run(side, onTheWay, load.milliseconds));
        }
        print(count, onTheWay, figures.map(median));
      }
      group.close();
      bare.close();
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

/** Sends on and on; a message has arrived when every socket has it. */
async function run({ sockets, send }: Broadcast, onTheWay: number, milliseconds: number): Promise<Figures> {
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
  const worked = workingTime();
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
  const late = Promise.withResolvers<never>();
  const watch = setInterval(() => {
    for (const [mark, { began, missing }] of open) {
      if (performance.now() - began > deliveryTimeoutMs)
        late.reject(new Error(`${missing} of ${sockets.length} sockets did not get ${mark}`));
    }
  }, 1_000);
  await Promise.race([Promise.all(Array.from({ length: onTheWay }, exchange)), late.promise]);
  clearInterval(watch);
  const elapsed = performance.now() - began;
  latencies.sort((one, other) => one - other);
  return {
    perSecond: (latencies.length / elapsed) * 1000,
    p99: latencies[Math.floor(latencies.length * 0.99)] ?? 0,
    busy: (workingTime() - worked) / elapsed / cpus().length,
  };
}

/** For how long the processors have worked so far, all together, in milliseconds. */
function workingTime(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
}

function median(figures: readonly Figures[]): Figures {
  const sorted = figures.toSorted((one, other) => one.perSecond - other.perSecond);
  return sorted[Math.floor(sorted.length / 2)] ?? { perSecond: 0, p99: 0, busy: 0 };
}

function print(members: number, onTheWay: number, [messages, events, bare]: readonly Figures[]): void {
  const column = (value: number | undefined, width: number, digits = 0) =>
    (value ?? Number.NaN).toFixed(digits).padStart(width);
  const ratio = (side: Figures | undefined) => column((side?.perSecond ?? 0) / (bare?.perSecond ?? 0), 7, 2);
  console.log(
    `${column(members, 7)}${column(onTheWay, 12)}` +
      `${column(messages?.perSecond, 13)}${column(messages?.p99, 7, 1)}${column((messages?.busy ?? 0) * 100, 5)}%${ratio(messages)}` +
      `${column(events?.perSecond, 13)}${column(events?.p99, 7, 1)}${ratio(events)}` +
      `${column(bare?.perSecond, 13)}${column(bare?.p99, 7, 1)}`,
  );
}
