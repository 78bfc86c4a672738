import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import { postgresFolder } from '../../services/installation.ts';
import { openClient } from '../../services/postgres/connect.ts';
import { runningEmbeddedUrl } from '../../services/postgres/embedded/embedded.ts';
import { historyCalls, measureCalls } from './history-calls.ts';
import { peopleOf, twinsOf } from './history-people.ts';
import type { Bench } from './main.ts';
import { megabytes, memoryOf } from './process-memory.ts';
import { keysOf } from './program.ts';
import { endBy, startUntilReady } from './start.ts';

export const bench: Bench = {
  summary: 'what a restart and common calls take with a long history, beside a short one',
  options: (command: Command) =>
    command
      .option('--events <n>', 'how long the long history is', Number, 1_000_000)
      .option('--folder <path>', 'a data folder with a long history that npm run seed has filled; it is used')
      .option('--beside <n>', 'how long the short one is', Number, 10_000)
      .option('--starts <n>', 'how many restarts of each kind', Number, 3)
      .option('--rounds <n>', 'how often each person makes each call', Number, 20)
      .option('--port <n>', 'where the first program listens; the second one on the next', Number, 8797),
  run: async (options) => measure(Options.parse(options)),
};

const count = z.int().positive();
const Options = z.object({
  events: count,
  folder: z.string().optional(),
  beside: count,
  starts: z.int().nonnegative(),
  rounds: count,
  port: count,
});

/** The first start applies the whole history. */
const fillTimeoutMs = 3_600_000;

/** After this time a program has given back what its start needed. */
const idleMs = 18_000;

async function measure(options: z.infer<typeof Options>): Promise<void> {
  const made: string[] = [];
  const make = async (events: number) => {
    const folder = await mkdtemp(join(tmpdir(), 'bubble-im-bench-'));
    made.push(folder);
    await seed(folder, events);
    return folder;
  };
  const running: ChildProcess[] = [];
  const start = async (folder: string, port: number) => {
    const { program, tookMs } = await startUntilReady(folder, port, fillTimeoutMs);
    running.push(program);
    return { program, tookMs };
  };
  try {
    const { port, starts, rounds } = options;
    const long = options.folder ?? (await make(options.events));
    let { program } = await start(long, port);
    await caughtUp(port);
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const times: number[] = [];
      for (let turn = 0; turn < starts; turn++) {
        await endBy(signal, program);
        const again = await start(long, port);
        program = again.program;
        times.push(again.tookMs);
        await caughtUp(port);
      }
      const seconds = times.map((ms) => (ms / 1_000).toFixed(2)).join(', ');
      if (times.length > 0) console.log(`from start to /ready after ${signal}: ${seconds} s`);
    }
    const short = await make(options.beside);
    const { program: other } = await start(short, port + 1);
    await caughtUp(port + 1);
    await delay(idleMs);
    console.log(`memory, idle: short ${megabytes(await memoryOf(other.pid ?? 0))}`);
    console.log(`              long  ${megabytes(await memoryOf(program.pid ?? 0))}`);
    const twins = twinsOf(await peopleIn(short), await peopleIn(long));
    await measureCalls(historyCalls, twins, {
      short: { port: port + 1, ...(await keysOf(short)) },
      long: { port, ...(await keysOf(long)) },
      rounds,
    });
  } finally {
    for (const program of running) await endBy('SIGTERM', program);
    for (const folder of made) await rm(folder, { recursive: true, force: true });
  }
}

/** Fills an empty data folder with a made-up history. */
async function seed(folder: string, events: number): Promise<void> {
  const script = join(import.meta.dirname, '../seed.ts');
  const child = spawn(process.execPath, [script, '--events', String(events)], {
    env: { ...process.env, DATA_DIR: folder },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`npm run seed ended with ${code}`);
}

const Readiness = z.object({
  parts: z.object({
    projections: z.object({ lag_ms: z.number() }),
    audit: z.object({ events_to_come: z.number().optional() }).optional(),
  }),
});

/** Waits until read models and index have all of the log. */
async function caughtUp(port: number): Promise<void> {
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/ready`);
    const { projections, audit } = Readiness.parse(await answer.json()).parts;
    if (projections.lag_ms === 0 && audit?.events_to_come === undefined) return;
    await delay(250);
  }
}

async function peopleIn(folder: string) {
  const url = await runningEmbeddedUrl(postgresFolder(folder));
  if (url === undefined) throw new Error('the embedded Postgres does not run');
  const client = await openClient(url, { name: 'bubble-im bench', statementTimeoutMs: 60_000 });
  try {
    return await peopleOf(client);
  } finally {
    await client.end();
  }
}
