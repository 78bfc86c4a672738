import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import type { Bench } from './main.ts';
import { connectPairs, pairsHeader, reportPairs, runPairs, type Worker } from './pairs.ts';
import { callAsServer, makePeople } from './people.ts';
import { type ProcessorTime, timeOf, timeOfChildren } from './processor-time.ts';
import { startProgram } from './program.ts';

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
  const program = await startProgram(port);
  let relay: ChildProcess | undefined;
  try {
    const bareRelay = await startRelay(port + 1);
    relay = bareRelay;
    const people = await makePeople(program, most * 2);
    const real = await connectPairs(program, people, async (from, to) => {
      await callAsServer(program, '/friend/add', { login_uid: from.uid, friend_uid: to.uid });
    });
    const strangers = people.map((_, index) => ({ uid: index + 1, username: 'none', token: 'none' }));
    const bare = await connectPairs({ port: port + 1, key: 'bare' }, strangers);
    // Until the code that runs is compiled.
    await runPairs(real.slice(0, 50), 6000);
    await runPairs(bare.slice(0, 50), 2000);
    const load = { name: 'load', used: async () => ownTime() };
    const workers: Worker[] = [
      { name: 'program', used: () => timeOf(program.pid() ?? 0) },
      // Of servers that the environment names nothing is known.
      ...(process.env.DATABASE_URL
        ? []
        : [{ name: 'Postgres', used: () => timeOfChildren(program.pid() ?? 0) }]),
      load,
    ];
    const relayWorkers: Worker[] = [{ name: 'relay', used: () => timeOf(bareRelay.pid ?? 0) }, load];
    console.log(pairsHeader);
    for (const count of pairCounts) {
      await reportPairs(real.slice(0, count), seconds, '', workers);
      await reportPairs(
        bare.slice(0, count),
        seconds / 2,
        '   a bare relay that stores nothing',
        relayWorkers,
      );
    }
    for (const pair of [...real, ...bare]) pair.close();
  } finally {
    relay?.kill();
    await program.stop();
  }
}

function ownTime(): ProcessorTime {
  const { user, system } = process.cpuUsage();
  return { user: user / 1_000, system: system / 1_000 };
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
