import type pg from 'pg';
import type { Bus } from '../bus/bus.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { EventLog } from '../log/log.ts';
import { findFollowers } from '../queries/system.ts';
import type { ReadDatabase } from '../queries/tables.ts';
import type { Figures, Metrics } from './metrics.ts';

/** Shows the connections of the pool, and the size of the database. */
export function showDatabase(metrics: Metrics, pool: pg.Pool): void {
  metrics.gauge(
    'pool_connections',
    'Connections to the database, and queries that wait for one',
    () => ({ busy: pool.totalCount - pool.idleCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    'state',
  );
  metrics.gauge('database_bytes', 'Size of the database on disk', async () => {
    const { rows } = await pool.query<{ bytes: string }>(
      'select pg_database_size(current_database())::text as bytes',
    );
    return { '': Number(rows[0]?.bytes ?? 0) };
  });
}

/** Shows how far the followers of the log (read models, audit index) are behind its end. */
export function showFollowers(
  metrics: Metrics,
  database: ReadDatabase,
  log: EventLog,
  lagMs: () => Promise<number>,
): void {
  metrics.gauge('projection_lag_seconds', 'For how long the read models have lacked an event', async () => ({
    '': (await lagMs()) / 1000,
  }));
  metrics.gauge(
    'follower_behind',
    'How much of the log a follower lacks: events in Postgres, bytes in EventStoreDB',
    async (): Promise<Figures> => {
      const followers = await findFollowers(database, log);
      return Object.fromEntries(followers.map(({ name, behind }) => [name, behind]));
    },
    'follower',
  );
}

/** Shows whether the bus is connected, without which `/ready` stays 200. */
export function showBus(metrics: Metrics, bus: Pick<Bus, 'healthy'>): void {
  metrics.gauge('bus_connected', 'Whether the bus is connected: 1 or 0', () => ({
    '': bus.healthy() ? 1 : 0,
  }));
}

/** Shows the sockets of a gateway. */
export function showGateway(metrics: Metrics, { status, load }: Pick<Gateway, 'status' | 'load'>): void {
  metrics.gauge('sockets', 'Open websockets', () => ({ '': status().sockets }));
  metrics.gauge('subscriptions', 'Subscriptions of sockets to channels', () => ({
    '': load().subscriptions,
  }));
  metrics.gauge('unread_bytes', 'Bytes that wait for clients to read them', () => ({
    '': load().unreadBytes,
  }));
  metrics.gauge('feeds', 'Feeds of the log to which sockets are subscribed', () => ({ '': status().feeds }));
  metrics.gauge('delivered_events', 'Events delivered to sockets since the start', () => ({
    '': status().delivered,
  }));
  metrics.gauge('push_feed_stalled_seconds', 'For how long missed pushes could not be read', () => ({
    '': status().stalledMs / 1000,
  }));
}
