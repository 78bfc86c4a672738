import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { type DatabaseConfig, openClient, type Purpose } from '../../services/postgres/connect.ts';

const purpose: Purpose = { name: 'bubble-im push expiry', statementTimeoutMs: 30_000 };

/** How long a push can be replayed. */
const keptDays = 7;
const batchSize = 1_000;
const pauseMilliseconds = 50;

/**
 * Deletes pushes past their time, oldest first and few at a time. The newest of them stays, to tell
 * that there were others. Only one projector does so at a time: a second one ends at once, as it would
 * only wait for the first one's rows. Answers how many went.
 */
export async function expirePushes(database: DatabaseConfig, signal: AbortSignal): Promise<number> {
  // A connection of its own, so that nothing that must be quick waits behind it.
  const client = await openClient(database, purpose);
  try {
    return await deleteOld(client, signal);
  } finally {
    await client.end();
  }
}

async function deleteOld(client: Client, signal: AbortSignal): Promise<number> {
  let gone = 0;
  while (!signal.aborted) {
    const { rowCount } = await client.query(
      `with turn as materialized (
         select pg_try_advisory_xact_lock(hashtextextended('pushes.push expiry', 0)) as mine
       ), first as (
         select place, number, created from pushes.push order by place, number limit $1
       ), old as (
         select place, number, row_number() over (order by place desc, number desc) as age
           from first where created < now() - $2 * interval '1 day'
       )
       delete from pushes.push using old, turn
        where turn.mine and push.place = old.place and push.number = old.number and old.age > 1`,
      [batchSize, keptDays],
    );
    gone += rowCount ?? 0;
    if ((rowCount ?? 0) < batchSize - 1) break;
    await delay(pauseMilliseconds);
  }
  return gone;
}
