import pg from 'pg';
import { SilenceWatch } from './silence.ts';

/** Which database: a connection string, or what `pg` takes. */
export type DatabaseConfig = string | pg.ClientConfig;

/** What connections are for, and how long what goes over them may take, in milliseconds. */
export interface Purpose {
  /** How the server names the connection to its operator. */
  readonly name: string;
  /**
   * The longest that a statement may take: the server then cancels it. A transaction may take twice as
   * long: a server of version 17 or later then ends the connection.
   */
  readonly statement: number;
  /** Further settings of the session. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** How long a connection may take to be made, in milliseconds. */
export const connectMilliseconds = 5_000;

/** How long after the server should have cancelled a statement its answer is waited for, in milliseconds. */
const grace = 500;

/** How long a transaction may wait for its next statement; no code of ours waits for anything else in one. */
const idleInTransaction = 5_000;

/** After how long an idle connection is probed by either side, in milliseconds. */
const keepAliveAfter = 5_000;

/**
 * What the server does about a client that is gone without a word, so that nothing it holds, as a lock,
 * is held for long. On a unix socket these have no effect.
 */
const serverSide = {
  idle_in_transaction_session_timeout: `${idleInTransaction}`,
  tcp_keepalives_idle: `${keepAliveAfter / 1000}`,
  tcp_keepalives_interval: '2',
  tcp_keepalives_count: '3',
  tcp_user_timeout: '10000',
};

/** A client that is not connected yet. Once it is, call `beginSession` before anything else. */
export function createClient(database: DatabaseConfig, purpose: Purpose): pg.Client {
  return new pg.Client(configOf(database, purpose));
}

/**
 * Sets a new connection's deadlines, on the server and here. Settings go in a statement of their own:
 * PgBouncer refuses a connection whose startup names any that it does not know.
 * @param silent called when the connection is destroyed because the server did not answer in time
 * @throws what `pg` throws
 */
export async function beginSession(
  client: pg.Client,
  { statement, settings }: Purpose,
  silent: () => void = () => undefined,
): Promise<SilenceWatch> {
  const watch = new SilenceWatch(client, statement + grace, silent);
  const all = {
    ...serverSide,
    statement_timeout: `${statement}`,
    // If it were no longer than the statement's, the server would end the connection at once.
    transaction_timeout: `${2 * statement}`,
    ...settings,
  };
  // Older servers do not know every one of them.
  await client.query(
    `select set_config(name, value, false)
       from unnest($1::text[], $2::text[]) wanted (name, value) join pg_settings using (name)`,
    [Object.keys(all), Object.values(all)],
  );
  return watch;
}

/** Makes one connection; `use` ends it. @throws what `pg` throws */
export async function openClient(database: DatabaseConfig, purpose: Purpose): Promise<pg.Client> {
  const client = createClient(database, purpose);
  // A query that is under way fails by it; without a listener it would end the process.
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

/** How a pool is made. */
export interface PoolOptions {
  /** How many connections it has at most. */
  readonly max: number;
  /** Hears why an idle connection broke. */
  readonly tell: (reason: string) => void;
  readonly types?: pg.CustomTypesConfig;
}

/**
 * A pool of connections that come back by themselves after the server was away; a query that cannot get
 * one within 5 s fails. When one of them proves dead, the idle ones are given up as well: whatever cut
 * the one has likely cut them, and each would cost a query its deadline to be found out.
 */
export function openPool(database: DatabaseConfig, purpose: Purpose, options: PoolOptions): pg.Pool {
  const { max, tell, types } = options;
  const watches = new Set<SilenceWatch>();
  const silent = () => {
    for (const watch of watches) watch.breakIdle('another connection of the pool proved dead');
  };
  const pool = new pg.Pool({
    ...configOf(database, purpose),
    max,
    ...(types ? { types } : {}),
    onConnect: async (client) => {
      if (!(client instanceof pg.Client)) throw new TypeError('the pool made a client of another kind');
      const watch = await beginSession(client, purpose, silent);
      watches.add(watch);
      client.on('end', () => watches.delete(watch));
    },
  });
  hearErrors(pool, tell);
  return pool;
}

/**
 * Hears the errors of a pool's connections, each of which would end the process where nobody does. An
 * idle one that breaks is told, and replaced at the next query. Of one that is taken out its query
 * tells; but between two queries, or when one has just ended, as in a restart under load, none is there.
 */
export function hearErrors(pool: pg.Pool, tell: (reason: string) => void): void {
  pool.on('error', ({ message }) => {
    if (!pool.ending) tell(message);
  });
  pool.on('connect', (client) => {
    client.on('error', () => undefined);
  });
}

function configOf(database: DatabaseConfig, { name }: Purpose): pg.ClientConfig {
  return {
    application_name: name,
    connectionTimeoutMillis: connectMilliseconds,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveAfter,
    ...(typeof database === 'string' ? { connectionString: database } : database),
  };
}
