import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { pino } from 'pino';
import { categories } from '../../contracts/events/index.ts';
import { migrate } from '../../projections/migrate.ts';
import { accountsDatabase } from '../../services/accounts/accounts-tables.ts';
import { startAuditor } from '../../services/audit/auditor.ts';
import { verifyLog } from '../../services/audit/tree/verify-log.ts';
import { readEnvironment } from '../../services/environment.ts';
import type { EventLog } from '../../services/log/log.ts';
import { openLog } from '../../services/log/open.ts';
import { startEmbeddedPostgres } from '../../services/postgres/embedded/embedded.ts';
import { createPool } from '../../services/postgres/pool.ts';
import { seedInstallation } from '../seed/seed-installation.ts';
import type { Bench } from './main.ts';

export const bench: Bench = {
  summary: 'looking at the log, beside a bare read of it; EVENTSTORE_URL measures on that log',
  options: (command: Command) =>
    command.option('--events <n>', 'how long the history is', wholeNumber, 200_000),
  run: async ({ events }) => measure(Number(events)),
};

/** What the rows are measured on. */
interface Ground {
  readonly log: EventLog;
  readonly databaseUrl: string;
  /** The variables by which a command finds both. */
  readonly environment: NodeJS.ProcessEnv;
  readonly events: number;
}

/** One figure, with what it is wanted to be if that is known. */
interface Row {
  readonly what: string;
  readonly figure: string;
}

/** The rows in their order: each is measured after those before it. */
const rows: readonly ((ground: Ground) => Promise<Row>)[] = [
  indexing,
  (ground) => replaying(ground, ['--format', 'ndjson']),
  (ground) => replaying(ground, ['--format', 'table']),
  (ground) => firstPage(ground, ['--about', '3']),
  (ground) => firstPage(ground, ['--type', 'MemberMuted,GroupMuted', '--reverse']),
  (ground) => firstPage(ground, ['--since', '1h', '--by', '7', '--reverse']),
  verifying,
];

async function measure(events: number): Promise<void> {
  const logger = pino({ level: 'silent' });
  const folder = await mkdtemp(join(tmpdir(), 'bubble-im-bench-'));
  const postgres = await startEmbeddedPostgres({ folder, logger });
  try {
    await migrate(postgres.url);
    const { eventStoreUrl } = readEnvironment();
    // Others use that server too: the history gets names of its own.
    const streamPrefix = eventStoreUrl === undefined ? '' : `bench${Date.now()}-`;
    const log = await openLog({ eventStoreUrl, streamPrefix }, postgres.url, logger);
    const pool = createPool(postgres.url, logger);
    await seedInstallation({ log, accounts: accountsDatabase(pool) }, { events, seed: '1' }, () => undefined);
    await pool.end();
    const environment = {
      ...process.env,
      DATABASE_URL: postgres.url,
      ...(streamPrefix === '' ? {} : { STREAM_PREFIX: streamPrefix }),
    };
    const ground = { log, databaseUrl: postgres.url, environment, events };
    console.log(`${events} events, in ${eventStoreUrl === undefined ? 'Postgres' : 'EventStoreDB'}`);
    for (const row of rows) {
      const { what, figure } = await row(ground);
      console.log(`${what.padEnd(62)}  ${figure}`);
    }
    await log.close();
  } finally {
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** How long a bare read of the log takes, in milliseconds. */
async function readBare({ log }: Ground): Promise<number> {
  const began = performance.now();
  for await (const record of log.readAll({ prefixes: categories })) void record;
  return performance.now() - began;
}

async function indexing({ log, databaseUrl, events }: Ground): Promise<Row> {
  const began = performance.now();
  const auditor = await startAuditor({ log, database: databaseUrl, logger: pino({ level: 'silent' }) });
  const end = await log.end(categories);
  while (auditor.status().checkpoint < end) await delay(20);
  const took = performance.now() - began;
  await auditor.stop();
  return { what: 'the auditor indexes', figure: perSecond(events, took) };
}

/** Replay of everything, without the start of its process. */
function replaying(ground: Ground, parameters: readonly string[]): Promise<Row> {
  return besideBareRead(ground, `replay ${parameters.join(' ')}`, async () => {
    const started = await runReplay(ground, ['--limit', '1']);
    return (await runReplay(ground, parameters)) - started;
  });
}

/** Making the Merkle tree of the log anew, and comparing it with the stored one. */
async function verifying(ground: Ground): Promise<Row> {
  const { databaseUrl, log } = ground;
  const database = createPool(databaseUrl, pino({ level: 'silent' }));
  try {
    return await besideBareRead(ground, 'verify', async () => {
      const began = performance.now();
      const { difference } = await verifyLog({ log, database, origin: 'bench' });
      if (difference) throw new Error('the log differs from its tree');
      return performance.now() - began;
    });
  } finally {
    await database.end();
  }
}

/** What reads all of the log, beside a bare read in turns. `run` gives how long it took, in milliseconds. */
async function besideBareRead(ground: Ground, what: string, run: () => Promise<number>): Promise<Row> {
  const ratios: number[] = [];
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 3; round++) {
    const took = await run();
    ratios.push((await readBare(ground)) / took);
    best = Math.min(best, took);
  }
  const [, ratio = 0] = ratios.sort((one, other) => one - other);
  return {
    what,
    figure: `${perSecond(ground.events, best)}, ${ratio.toFixed(2)} of a bare read (wanted: 0.5)`,
  };
}

/** The time until a command that shows 100 events has ended; with the start of the process, which is shown apart. */
async function firstPage(ground: Ground, parameters: readonly string[]): Promise<Row> {
  const started = await runReplay(ground, ['--help']);
  const took = await runReplay(ground, [...parameters, '--limit', '100']);
  return {
    what: `first 100 of replay ${parameters.join(' ')}`,
    figure: `${Math.round(took)} ms, ${Math.round(started)} of which start the process (wanted: 1000)`,
  };
}

/** Runs replay with what it writes thrown away. @returns how long it took, in milliseconds */
async function runReplay({ environment: env }: Ground, parameters: readonly string[]): Promise<number> {
  const script = join(import.meta.dirname, '../replay.ts');
  const began = performance.now();
  const child = spawn(process.execPath, [script, ...parameters], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`replay ${parameters.join(' ')} ended with ${code}`);
  return performance.now() - began;
}

function perSecond(events: number, ms: number): string {
  return `${Math.round((1_000 * events) / ms).toLocaleString('en')} events/s`;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!(Number.isInteger(value) && value > 0)) throw new InvalidArgumentError('a whole number above 0');
  return value;
}
