import { Uid } from '../../contracts/ids.ts';
import type { BigintColumn, ReadingDatabase } from '../postgres/database.ts';
import { queryPrepared } from '../postgres/prepared-queries.ts';

/** Whether a person has an open websocket on any gateway, and when the last one closed (seconds since 1970; 0: never). */
export interface PresenceState {
  readonly state: 'online' | 'offline';
  readonly logoutTimestamp: number;
}

/** Of people who never had a websocket open. */
export const neverOnline: PresenceState = { state: 'offline', logoutTimestamp: 0 };

/**
 * SQL: whether readers take gateway `g` for alive, by the database's clock. If that clock jumps, a reader may be wrong
 * until the next heartbeat, at most 3 s. The pushes to friends do not depend on it: gateways compare each other's
 * counts of heartbeats (services/gateway/presence/gateway-watch.ts).
 */
export const alive = `g.seen > now() - interval '12 seconds'
  and (g.leaving is null or g.leaving > now() - interval '1 second')`;

/**
 * Reads of each person whether they are online on any gateway. The last heartbeat of a dead gateway counts as the
 * closing of its sockets. @throws what the database throws.
 */
export async function readPresence(
  database: ReadingDatabase,
  uids: readonly Uid[],
): Promise<Map<Uid, PresenceState>> {
  const presence = new Map<Uid, PresenceState>(uids.map((uid) => [uid, neverOnline]));
  if (uids.length === 0) return presence;
  const { rows } = await queryPrepared<{
    uid: BigintColumn;
    online: boolean | null;
    died: BigintColumn | null;
    closed: BigintColumn | null;
  }>(
    database,
    `select uid, bool_or(online) as online, max(died) as died, max(closed) as closed
             from (
               select u.uid, (${alive}) as online, null::bigint as closed,
                      extract(epoch from coalesce(g.leaving, g.seen))::bigint as died
                 from presence.users u join presence.gateways g using (gateway)
                where u.uid = any($1::bigint[])
               union all
               select l.uid, false, l.timestamp, null
                 from presence.logouts l
                where l.uid = any($1::bigint[])
             ) known
            group by uid`,
    [uids],
  );
  for (const row of rows) {
    const online = row.online === true;
    const died = online ? 0 : Number(row.died ?? 0);
    presence.set(Uid.parse(Number(row.uid)), {
      state: online ? 'online' : 'offline',
      logoutTimestamp: Math.max(Number(row.closed ?? 0), died),
    });
  }
  return presence;
}
