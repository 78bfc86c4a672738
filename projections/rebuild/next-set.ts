import type { Client } from 'pg';
import { type Position, startOfLog } from '../../services/log/log.ts';
import { inTransaction } from '../../services/postgres/transaction.ts';
import { grantAsBefore, makeEmptySet } from './empty-set.ts';
import { formerSchema, nextFollower, nextSchema } from './sets.ts';

/**
 * Makes the next set ready to be filled: a new one, or the one that an interrupted rebuild of this version left.
 * @returns from where it is filled
 */
export function prepareNextSet(client: Client, version: string): Promise<Position> {
  return inTransaction(client, async () => {
    // A rebuild that ended between its switch and its comparison left it.
    await client.query(`drop schema if exists ${formerSchema} cascade`);
    const { rows } = await client.query<{ position: Position }>(
      `select position from followers.checkpoint
        where name = $1 and version = $2 and to_regnamespace($3) is not null`,
      [nextFollower, version, nextSchema],
    );
    const [interrupted] = rows;
    if (interrupted) return interrupted.position;
    await client.query(`drop schema if exists ${nextSchema} cascade`);
    await makeEmptySet(client, nextSchema);
    await grantAsBefore(client, nextSchema);
    await beginFollower(client, version);
    return startOfLog;
  });
}

/**
 * Drops what rebuilds left behind that were interrupted for good: the former set, and a next one of another version.
 */
export function dropLeftovers(client: Client, version: string): Promise<void> {
  return inTransaction(client, async () => {
    await client.query(`drop schema if exists ${formerSchema} cascade`);
    const { rowCount } = await client.query(
      `update followers.checkpoint set version = null, position = '', event_id = null, fence = fence + 1
        where name = $1 and version <> $2`,
      [nextFollower, version],
    );
    if (rowCount === 1) await client.query(`drop schema if exists ${nextSchema} cascade`);
  });
}

/**
 * Sets the follower of the next set to the beginning of the log. Its fence grows on from rebuild to rebuild, so that
 * nothing a frozen process of an earlier one may still have under way commits into this one.
 */
async function beginFollower(client: Client, version: string): Promise<void> {
  await client.query(
    `insert into followers.lease (name, holder, fence) values ($1, '', 0) on conflict do nothing`,
    [nextFollower],
  );
  await client.query(
    `insert into followers.checkpoint (name, position, batch, fence, epoch)
     values ($1, '', 0, 0, '') on conflict do nothing`,
    [nextFollower],
  );
  await client.query(
    `update followers.checkpoint n
        set position = '', event_id = null, fence = n.fence + 1, version = $2,
            installation = current.installation, epoch = current.epoch
       from followers.checkpoint current where n.name = $1 and current.name = 'read'`,
    [nextFollower, version],
  );
  await client.query(
    `update followers.lease l set holder = '', fence = greatest(l.fence, n.fence)
       from followers.checkpoint n where l.name = $1 and n.name = $1`,
    [nextFollower],
  );
}
