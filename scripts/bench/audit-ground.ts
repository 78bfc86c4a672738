import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type pg from 'pg';
import type { memoryBus } from '../../services/bus/memory.ts';
import type { EventLog } from '../../services/log/log.ts';

/** What the rows of the benchmark are measured on: a made-up history, its index and its read models. */
export interface Ground {
  readonly log: EventLog;
  readonly bus: ReturnType<typeof memoryBus>;
  readonly databaseUrl: string;
  readonly pool: pg.Pool;
  /** The pid of the Postgres server. */
  readonly postgres: number;
  /** The variables by which a command finds log and database. */
  readonly environment: NodeJS.ProcessEnv;
  readonly events: number;
}

/** One figure, with what it is wanted to be if that is known. */
export interface Row {
  readonly what: string;
  readonly figure: string;
}

/** A row that is measured after those before it. */
export type MeasureRow = (ground: Ground) => Promise<Row>;

export type CommandName = 'replay' | 'explain' | 'as-of';

/** Runs a command with what it writes thrown away. @returns how long it took with its start, in milliseconds */
export async function runCommand(
  { environment: env }: Ground,
  name: CommandName,
  parameters: readonly string[],
): Promise<number> {
  const script = join(import.meta.dirname, `../${name}.ts`);
  const began = performance.now();
  const child = spawn(process.execPath, [script, ...parameters], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${name} ${parameters.join(' ')} ended with ${code}`);
  return performance.now() - began;
}

/** The time until a command has ended, the second of three; its start is shown apart. */
export async function timedRow(
  ground: Ground,
  name: CommandName,
  parameters: readonly string[],
  wantedMs: number,
): Promise<Row> {
  const runs = async (given: readonly string[]) => {
    const times: number[] = [];
    for (let round = 0; round < 3; round++) times.push(await runCommand(ground, name, given));
    return median(times);
  };
  const started = await runs(['--help']);
  const took = await runs(parameters);
  return {
    what: `${name} ${parameters.join(' ')}`,
    figure: `${Math.round(took)} ms, ${Math.round(started)} of which start the process (wanted: ${wantedMs})`,
  };
}

/** The second of three numbers. */
export function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

export function perSecond(events: number, ms: number): string {
  return `${Math.round((1_000 * events) / ms).toLocaleString('en')} events/s`;
}
