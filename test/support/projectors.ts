import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'vitest';
import { type Projector, startProjector } from '../../projections/runner/projector.ts';
import type { EventLog } from '../../services/log/log.ts';
import type { AtEnd } from './at-end.ts';
import { between, registered } from './events.ts';
import { openWorld, silent, type World } from './projecting.ts';

const script = new URL('./projector-process.ts', import.meta.url).pathname;

/** The conversation of the people 1 and 2. */
export const talk = between(1, 2);

/** A world of two people, with projectors in this process and in others. */
export interface ProjectorsWorld extends World {
  /** Starts a projector in this process. */
  start(log?: EventLog, url?: string): Promise<Projector>;
  /** Starts one in a process of its own: see test/support/projector-process.ts. */
  startProcess(...parameters: string[]): ChildProcess;
  /** What must be over before the database goes. */
  readonly atClose: AtEnd;
  /** The mids of `talk`, in its order; fails if its sequence has a gap. */
  mids(): Promise<number[]>;
  /** The mids pushed to person 2, in order. */
  pushedMids(): Promise<unknown[]>;
}

/** Opens a world whose people are registered; `close` ends its projectors first. */
export async function openProjectorsWorld(): Promise<ProjectorsWorld> {
  const world = await openWorld();
  await world.given(registered(1, '甲'), registered(2, '乙'));
  const projectors: Projector[] = [];
  const processes: ChildProcess[] = [];
  const ends: Parameters<AtEnd>[0][] = [];
  return {
    ...world,
    async start(log = world.log, url = world.url) {
      const projector = await startProjector({ log, database: url, bus: world.bus, logger: silent });
      projectors.push(projector);
      return projector;
    },
    startProcess(...parameters) {
      const child = spawn(process.execPath, [script, world.url, ...parameters], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      processes.push(child);
      return child;
    },
    atClose: (end) => void ends.push(end),
    async mids() {
      const rows = await world.query<{ mid: string; sequence: string }>(
        'select mid, sequence from read.messages where conversation = $1 order by sequence',
        [talk],
      );
      expect(rows.map(({ sequence }) => Number(sequence))).toEqual(rows.map((_, index) => index + 1));
      return rows.map((row) => Number(row.mid));
    },
    async pushedMids() {
      const pushes = await world.pushes();
      return pushes
        .filter(({ channel, event }) => channel === 'user-2' && event === 'message')
        .map(({ data }) => data.mid);
    },
    async close() {
      for (const child of processes) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      await Promise.all(projectors.map((projector) => projector.stop()));
      for (const end of ends) await end();
      await world.close();
    },
  };
}

/** How long a condition is waited for that a projector is to bring about, for `vi.waitUntil`. */
export const waiting = { timeout: 15_000, interval: 10 };

/** The statement that ends the connections of the projectors' batches. */
export const endBatchConnections = `select pg_terminate_backend(pid) from pg_stat_activity
  where application_name = 'bubble-im projector' and datname = current_database()`;
