import type { Client } from 'pg';
import type { Position } from '../../services/log/log.ts';
import { type DatabaseConfig, openClient, type Purpose } from '../../services/postgres/connect.ts';
import { sqlState } from '../../services/postgres/sql-state.ts';
import type { FillLimit } from './fill-limit.ts';
import {
  currentPosition,
  currentSchema,
  type FilledSet,
  filledSetTimeoutMs,
  formerSchema,
  nextSet,
  tablesOf,
} from './sets.ts';

const switchTimeoutMs = 65_000;

export function switchPurpose({ connections }: FilledSet): Purpose {
  return { name: `${connections} switch`, statementTimeoutMs: switchTimeoutMs };
}

/** Comparing reads all rows of both sets. */
function comparisonPurpose({ connections }: FilledSet): Purpose {
  return {
    name: `${connections} comparison`,
    statementTimeoutMs: filledSetTimeoutMs,
    settings: { work_mem: '64MB' },
  };
}

/** How long the projector may take to end its batch. */
const projectorMs = 5_000;
/** How long the next set may take for what the projector applied last; the projector waits meanwhile. */
export const fillMs = 2_000;
/**
 * How long to wait for statements that read the current set; new ones wait meanwhile. It must be shorter than
 * Postgres' deadlock_timeout (1 s): a statement that holds one table and waits for another then goes on, and none
 * fails because of a deadlock.
 */
const readersMs = 300;
/** How long a vacuum of the current set may take to end: Postgres cancels an automatic one after 1 s. */
const vacuumMs = 60_000;

/** Of a lock that was not acquired in time: by lock_timeout, by statement_timeout. */
export const lateStates = ['55P03', '57014'];

export interface SwitchOptions {
  readonly database: DatabaseConfig;
  readonly limit: FillLimit;
  /** What made the next set. */
  readonly version: string;
}

/**
 * Makes the next set the current one, in one transaction, while both show the log up to the same position. Statements
 * of others wait for at most `readersMs`, and then see one of the two sets: the transaction holds every table of the
 * current set, so that none is under way, and a statement that waited for a table looks its name up again.
 * @returns a connection with a snapshot of both sets at that position; undefined if it is to be tried again
 * @throws what `pg` throws: it is then not known whether the sets were switched
 */
export async function trySwitch(options: SwitchOptions): Promise<Client | undefined> {
  const { database, limit, version } = options;
  const client = await openClient(database, switchPurpose(nextSet));
  let snapshot: Client | undefined;
  try {
    await client.query('begin');
    await client.query(`set local lock_timeout = '${vacuumMs}ms'`);
    await client.query(`lock table ${tablesOf(currentSchema)} in share update exclusive mode`);
    limit.raise(await holdProjector(client));
    if (!(await limit.reached(fillMs))) return undefined;
    snapshot = await openSnapshot(database, nextSet);
    await holdReaders(client);
    await client.query(`alter schema ${currentSchema} rename to ${formerSchema}`);
    await client.query(`alter schema ${nextSet.schema} rename to ${currentSchema}`);
    await nameVersion(client, version);
    await client.query('commit');
    const switched = snapshot;
    snapshot = undefined;
    return switched;
  } catch (error) {
    if (lateStates.includes(sqlState(error) ?? '')) return undefined;
    throw error;
  } finally {
    // The end of a connection rolls its transaction back.
    await client.end();
    await snapshot?.end();
  }
}

/** Opens a connection with a snapshot of both sets as they are now. */
export async function openSnapshot(database: DatabaseConfig, set: FilledSet): Promise<Client> {
  const snapshot = await openClient(database, comparisonPurpose(set));
  try {
    await snapshot.query('begin isolation level repeatable read, read only; select 1');
    return snapshot;
  } catch (error) {
    await snapshot.end();
    throw error;
  }
}

/** Lets the projector commit nothing until the transaction ends. @returns its checkpoint */
export async function holdProjector(client: Client): Promise<Position> {
  await client.query(`set local lock_timeout = '${projectorMs}ms'`);
  return currentPosition(client, true);
}

/** Lets no statement of others use the current set until the transaction ends. */
async function holdReaders(client: Client): Promise<void> {
  await client.query(`set local statement_timeout = '${readersMs}ms'`);
  await client.query(`lock table ${tablesOf(currentSchema)} in access exclusive mode`);
  await client.query(`set local statement_timeout = '${switchTimeoutMs}ms'`);
}

/** The projector's memory is of the former set: with a greater fence it must begin from its checkpoint again. */
async function nameVersion(client: Client, version: string): Promise<void> {
  await client.query(
    `update followers.checkpoint
        set version = $1, fence = fence + 1,
            earlier_versions = array_remove(earlier_versions || coalesce(array[version], '{}'), $1)
      where name = 'read'`,
    [version],
  );
  await client.query(
    `update followers.lease l set holder = '', fence = greatest(l.fence, c.fence)
       from followers.checkpoint c where l.name = 'read' and c.name = 'read'`,
  );
  await client.query(
    `update followers.checkpoint set version = null, position = '', event_id = null, fence = fence + 1 where name = $1`,
    [nextSet.follower],
  );
}
