import pg from 'pg';
import { SilenceWatch } from './silence.ts';

/** A connection string, or the options of `pg`. */
export type DatabaseConfig = string | pg.ClientConfig;

/** What connections are used for, and the limits that follow from that. */
export interface Purpose {
  /** The `application_name`, which the server's operator sees. */
  readonly name: string;
  /**
   * After this time the server cancels a statement. A transaction may take twice as long; then a server of
   * version 17 or later ends the connection.
   */
  readonly statementTimeoutMs: number;
  /** Additional settings of the session. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** How long connecting may take. */
export const connectTimeoutMs = 5_000;

/** How long we wait for an answer after the server should have cancelled the statement. */
const cancelGraceMs = 500;

/** How long a transaction may wait for its next statement. Ours wait for nothing but the database. */
const idleInTransactionTimeoutMs = 5_000;

/** After this time without traffic either side probes the connection. */
const keepAliveAfterMs = 5_000;

/**
 * Settings with which the server detects a client that disappeared silently, so that its locks
 * are soon released. The tcp settings have no effect on a unix socket.
 */
const sessionSettings = {
  idle_in_transaction_session_timeout: `${idleInTransactionTimeoutMs}`,
  tcp_keepalives_idle: `${keepAliveAfterMs / 1000}`,
  tcp_keepalives_interval: '2',
  tcp_keepalives_count: '3',
  tcp_user_timeout: '10000',
};

/** Says that a server is the replica of a primary; `saysAway` knows it. */
const isStandby = 'this Postgres is a standby, which takes no writes: DATABASE_URL must lead to the primary';

/** A client that is not connected yet. After connecting, call `beginSession` before anything else. */
export function createClient(database: DatabaseConfig, purpose: Purpose): pg.Client {
  return new pg.Client(configOf(database, purpose));
}

/**
 * Sets a new connection's timeouts, on the server and here. The settings are sent in a statement, since
 * PgBouncer refuses a connection whose startup message contains settings that it does not know.
 *
 * A standby is refused. While the address of the primary moves, it may lead to one for a moment, and a connection that was
 * made then would stay there, refusing every write.
 * @param onSilent called when the connection is destroyed because the server did not answer in time
 * @throws what `pg` throws; Error if the server is a standby
 */
export async function beginSession(
  client: pg.Client,
  { statementTimeoutMs, settings }: Purpose,
  onSilent: () => void = () => undefined,
): Promise<SilenceWatch> {
  const watch = new SilenceWatch(client, statementTimeoutMs + cancelGraceMs, onSilent);
  const all = {
    ...sessionSettings,
    statement_timeout: `${statementTimeoutMs}`,
    // A transaction_timeout not longer than statement_timeout would end the connection before the statement.
    transaction_timeout: `${2 * statementTimeoutMs}`,
    ...settings,
  };
  // The join leaves out settings that an older server does not have.
  const { rows } = await client.query<{ standby: boolean }>(
    `select count(set_config(name, value, false)), pg_is_in_recovery() as standby
       from unnest($1::text[], $2::text[]) wanted (name, value) join pg_settings using (name)`,
    [Object.keys(all), Object.values(all)],
  );
  if (rows[0]?.standby !== false) throw new Error(isStandby);
  return watch;
}

/** Opens one connection, which the caller ends. @throws what `pg` throws */
export async function openClient(database: DatabaseConfig, purpose: Purpose): Promise<pg.Client> {
  const client = createClient(database, purpose);
  // A running query fails with the same error; without a listener it would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await beginSession(client, purpose);
    return client;
  } catch (error) {
    await client.end();
    throw error;
  }
}

export interface PoolOptions {
  /** The number of connections. */
  readonly max: number;
  /** Called with the message when an idle connection breaks. */
  readonly onBroken: (reason: string) => void;
  readonly types?: pg.CustomTypesConfig;
}

/**
 * A pool that reconnects by itself after an outage of the server; a query that cannot get a connection within
 * 5 s fails. If the server does not answer on one connection, the idle ones are destroyed as well: they are
 * probably broken too, and each would otherwise cost a query its timeout.
 */
export function openPool(database: DatabaseConfig, purpose: Purpose, options: PoolOptions): pg.Pool {
  const { max, onBroken, types } = options;
  const watches = new Set<SilenceWatch>();
  const onSilent = () => {
    for (const watch of watches) watch.breakIdle('another connection of the pool proved dead');
  };
  const pool = new pg.Pool({
    ...configOf(database, purpose),
    max,
    ...(types ? { types } : {}),
    onConnect: async (client) => {
      if (!(client instanceof pg.Client)) throw new TypeError('the pool made a client of another kind');
      const watch = await beginSession(client, purpose, onSilent);
      watches.add(watch);
      client.on('end', () => watches.delete(watch));
    },
  });
  handlePoolErrors(pool, onBroken);
  return pool;
}

/**
 * Listens to the errors of a pool's connections, which would otherwise end the process. `onBroken` is called for an
 * idle connection, which the next query replaces. A checked-out connection fails its query; between two queries
 * there is none, and the error is ignored.
 */
export function handlePoolErrors(pool: pg.Pool, onBroken: (reason: string) => void): void {
  pool.on('error', ({ message }) => {
    if (!pool.ending) onBroken(message);
  });
  pool.on('connect', (client) => {
    client.on('error', () => undefined);
  });
}

function configOf(database: DatabaseConfig, { name }: Purpose): pg.ClientConfig {
  return {
    application_name: name,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveAfterMs,
    ...(typeof database === 'string' ? { connectionString: database } : database),
  };
}
