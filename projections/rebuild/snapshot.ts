import type { Client } from 'pg';
import { type DatabaseConfig, openClient } from '../../services/postgres/connect.ts';
import { sqlState } from '../../services/postgres/sql-state.ts';
import type { FillLimit } from './fill-limit.ts';
import type { FilledSet } from './sets.ts';
import { fillMs, holdProjector, lateStates, openSnapshot, switchPurpose } from './switch.ts';

/**
 * Takes a snapshot of a filled set and the current one at a moment when both show the log up to the same position, for which the projector
 * waits. Nothing is switched.
 * @returns a connection with the snapshot; undefined if it is to be tried again
 * @throws what `pg` throws
 */
export async function trySnapshot(
  database: DatabaseConfig,
  set: FilledSet,
  limit: FillLimit,
): Promise<Client | undefined> {
  const client = await openClient(database, switchPurpose(set));
  try {
    await client.query('begin');
    limit.raise(await holdProjector(client));
    if (!(await limit.reached(fillMs))) return undefined;
    return await openSnapshot(database, set);
  } catch (error) {
    if (lateStates.includes(sqlState(error) ?? '')) return undefined;
    throw error;
  } finally {
    // The end of the connection lets the projector go on.
    await client.end();
  }
}
