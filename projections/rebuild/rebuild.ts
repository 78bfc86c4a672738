import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import type { Logger } from 'pino';
import { Follower } from '../../services/followers/follower.ts';
import type { EventLog, Position } from '../../services/log/log.ts';
import { type DatabaseConfig, openClient } from '../../services/postgres/connect.ts';
import { type Comparison, compareSets } from './comparison.ts';
import { completeSet } from './empty-set.ts';
import { FillLimit } from './fill-limit.ts';
import { FillTask } from './fill-task.ts';
import { prepareNextSet } from './next-set.ts';
import {
  currentPosition,
  currentSchema,
  type FilledSet,
  filledSetTimeoutMs,
  formerSchema,
  nextSet,
} from './sets.ts';
import { trySwitch } from './switch.ts';

/** How often a set is filled up to where the current one is. */
const followEveryMs = 100;
/** How long to wait after a switch that statements of others held up: this at first, doubled up to the longest. */
const firstAgainMs = 200;
const maxAgainMs = 20_000;
/** How long a set may take to come to rest before its indexes are made. */
const restMs = 20_000;

export interface RebuildOptions {
  readonly log: EventLog;
  readonly database: DatabaseConfig;
  readonly logger: Logger;
  /** What the read models are made by: see `readModelsVersion`. */
  readonly version: string;
  /** How many events a transaction may hold, if fewer than usual. */
  readonly maxBatchEvents?: number;
  /** How many rows that differ are named of each table. */
  readonly maxDifferences: number;
  /** Whether to wait, when an event cannot be applied, until it is skipped; else that is an error. */
  readonly patient: boolean;
  /** Called once it begins. @param from the position up to which an interrupted rebuild has come */
  readonly onBegun?: (from: Position) => void;
  /** Called after each transaction with the number of its events. */
  readonly onFilled?: (events: number) => void;
  /** Interrupts it. The next rebuild of the same version goes on from there. */
  readonly signal: AbortSignal;
}

/**
 * Makes the read models again from the log, beside those that are served, and then serves the new ones
 * (docs/architecture.md, Making the read models again).
 * @returns what it made, compared with what was there before; `busy` if another process does so; `interrupted` after the signal
 * @throws what the database throws; Error for an event that cannot be applied, unless it is patient
 */
export async function rebuild(options: RebuildOptions): Promise<Comparison | 'busy' | 'interrupted'> {
  const { database, version, logger, maxDifferences, onBegun } = options;
  const client = await openFillingClient(database, nextSet);
  try {
    if (!(await lockRebuild(client))) return 'busy';
    const from = await prepareNextSet(client, version);
    logger.info({ version, from }, 'the read models are made again beside those that are served');
    onBegun?.(from);
    const snapshot = await fillSet(client, nextSet, options, (limit) =>
      trySwitch({ database, limit, version }),
    );
    if (snapshot === undefined) return 'interrupted';
    logger.info({ version }, 'the read models that were made again are served now');
    try {
      return await compareSets(snapshot, formerSchema, currentSchema, maxDifferences);
    } finally {
      await snapshot.end();
      await client.query(`drop schema if exists ${formerSchema} cascade`);
    }
  } finally {
    await client.end();
  }
}

/** Opens the connection that prepares and completes a set. */
export function openFillingClient(database: DatabaseConfig, { connections }: FilledSet): Promise<Client> {
  return openClient(database, { name: connections, statementTimeoutMs: filledSetTimeoutMs });
}

/** Only one process rebuilds or checks at a time. The lock ends with the connection. */
export async function lockRebuild(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>(
    `select pg_try_advisory_lock(hashtextextended('read models rebuild', 0)) as locked`,
  );
  return rows[0]?.locked === true;
}

/**
 * Fills a set until it shows what the current one shows.
 * @param finish is called when it nearly does, again and again until it gives a snapshot of both sets
 * @returns that snapshot; undefined after the signal
 */
export async function fillSet(
  client: Client,
  set: FilledSet,
  options: Omit<RebuildOptions, 'version' | 'maxDifferences'>,
  finish: (limit: FillLimit) => Promise<Client | undefined>,
): Promise<Client | undefined> {
  const { log, database, logger, maxBatchEvents, onFilled, patient, signal } = options;
  const limit = new FillLimit();
  limit.raise(await currentPosition(client));
  const part = logger.child({ part: 'rebuild' });
  const task = new FillTask({ set, log, logger: part, limit, maxBatchEvents, onFilled });
  const follower = new Follower({ task, log, database, logger });
  follower.start();
  try {
    let before: Position | undefined;
    let complete = false;
    let againMs = firstAgainMs;
    let notBefore = 0;
    while (!signal.aborted) {
      if (!patient && follower.fault !== undefined) throw new Error(follower.fault.reason);
      const current = await currentPosition(client);
      limit.raise(current);
      const near = follower.status().active && limit.position >= (before ?? current);
      if (near && !complete && (await limit.reached(restMs))) {
        await completeSet(client, set.schema);
        complete = true;
      } else if (near && complete && performance.now() >= notBefore) {
        const snapshot = await finish(limit);
        if (snapshot) return snapshot;
        part.info({ againMs }, 'statements of others hold the read models; the switch is tried again later');
        notBefore = performance.now() + againMs;
        againMs = Math.min(2 * againMs, maxAgainMs);
      }
      before = current;
      await delay(followEveryMs, undefined, { signal }).catch(() => undefined);
    }
    return undefined;
  } finally {
    limit.close();
    await follower.stop();
  }
}
