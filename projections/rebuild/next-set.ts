import type { Client } from 'pg';
import { type Position, startOfLog } from '../../services/log/log.ts';
import { inTransaction } from '../../services/postgres/transaction.ts';
import { grantAsBefore, makeEmptySet } from './empty-set.ts';
import { checkSet, type FilledSet, formerSchema, nextSet } from './sets.ts';

/**
 * Makes the next set ready to be filled: a new one, or the one that an interrupted rebuild of this version left.
 * @returns from where it is filled
 */
export function prepareNextSet(client: Client, version: string): Promise<Position> {
  const { schema, follower } = nextSet;
  return inTransaction(client, async () => {
    await dropKilled(client);
    const { rows } = await client.query<{ position: Position }>(
      `select position from followers.checkpoint
        where name = $1 and version = $2 and to_regnamespace($3) is not null`,
      [follower, version, schema],
    );
    const [interrupted] = rows;
    if (interrupted) return interrupted.position;
    await client.query(`drop schema if exists ${schema} cascade`);
    await makeEmptySet(client, schema);
    await grantAsBefore(client, schema);
    await beginFollower(client, nextSet, version);
    return startOfLog;
  });
}

/** Makes the set of a check, empty, and leaves the rest of an interrupted rebuild as it is. */
export function prepareCheckSet(client: Client, version: string): Promise<void> {
  return inTransaction(client, async () => {
    await dropKilled(client);
    await makeEmptySet(client, checkSet.schema);
    await beginFollower(client, checkSet, version);
  });
}

/** Drops the set of a check with its follower. */
export async function dropCheckSet(client: Client): Promise<void> {
  const { schema, follower } = checkSet;
  await client.query(`drop schema if exists ${schema} cascade`);
  for (const table of ['checkpoint', 'lease']) {
    await client.query(`delete from followers.${table} where name = $1`, [follower]);
  }
}

/** Drops what processes left that were killed: a rebuild between its switch and its comparison, and a check. */
async function dropKilled(client: Client): Promise<void> {
  await client.query(`drop schema if exists ${formerSchema} cascade`);
  await dropCheckSet(client);
}

/**
 * Drops what was left behind for good by rebuilds and checks that were interrupted: the former set, that of a check, and
 * a next one of another version.
 */
export function dropLeftovers(client: Client, version: string): Promise<void> {
  return inTransaction(client, async () => {
    await dropKilled(client);
    const { rowCount } = await client.query(
      `update followers.checkpoint set version = null, position = '', event_id = null, fence = fence + 1
        where name = $1 and version <> $2`,
      [nextSet.follower, version],
    );
    if (rowCount === 1) await client.query(`drop schema if exists ${nextSet.schema} cascade`);
  });
}

/**
 * Sets the follower of a set to the beginning of the log. The fence of the next one grows on from rebuild to rebuild, so that
 * nothing a frozen process of an earlier one may still have under way commits into this one.
 */
async function beginFollower(client: Client, { follower }: FilledSet, version: string): Promise<void> {
  await client.query(
    `insert into followers.lease (name, holder, fence) values ($1, '', 0) on conflict do nothing`,
    [follower],
  );
  await client.query(
    `insert into followers.checkpoint (name, position, batch, fence, epoch)
     values ($1, '', 0, 0, '') on conflict do nothing`,
    [follower],
  );
  await client.query(
    `update followers.checkpoint n
        set position = '', event_id = null, fence = n.fence + 1, version = $2,
            installation = current.installation, epoch = current.epoch
       from followers.checkpoint current where n.name = $1 and current.name = 'read'`,
    [follower, version],
  );
  await client.query(
    `update followers.lease l set holder = '', fence = greatest(l.fence, n.fence)
       from followers.checkpoint n where l.name = $1 and n.name = $1`,
    [follower],
  );
}
