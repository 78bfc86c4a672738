import type { Logger } from 'pino';
import { errorCode } from '../../error-code.ts';
import { openClient, type Purpose } from '../connect.ts';
import { findNativeFolder, prepareBinaries } from './binaries.ts';
import { openCluster, readPassword, superuser } from './cluster.ts';
import { endLeftover } from './leftover.ts';
import { Server } from './server.ts';
import { findSocketFolder, makeSocketFolder } from './socket-folder.ts';

/** A Postgres server that is kept running until it is stopped. */
export interface EmbeddedPostgres {
  /** Connects as the owner of the program's database, which is not a superuser. Contains a password: never log it. */
  readonly url: string;
  /** Connects as the superuser. */
  readonly superuserUrl: string;
  /** The pid of the present server process; it changes after a crash. */
  readonly pid: number;
  /** Shuts the server down with its connections. It is not restarted any more. */
  stop(): Promise<void>;
  /** Signals it to shut down and does not wait, for a process that exits at once. */
  abandon(): void;
  /** Shuts it down and starts it again. */
  restart(): Promise<void>;
  /** Sends SIGKILL, like a crash; resolves when the process has ended. It is then restarted automatically. */
  kill(): Promise<void>;
  /** Resolves when it accepts connections, also after a crash. */
  ready(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** The folder for all its data, created if necessary. The caller must hold its lock. */
  readonly folder: string;
  readonly logger: Logger;
  /** Additional settings of Postgres, for tests. `fsync: 'off'` also makes creating the data faster. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Creating a database copies a template, which takes a slow disk some time. */
const purpose: Purpose = { name: 'bubble-im start', statementTimeoutMs: 60_000 };

/** The database of the program and the role that owns it. */
const database = 'bubble_im';

/**
 * Starts the Postgres of the installed packages: creates its data if there are none, ends a server that still
 * runs on them, and restarts the server whenever it ends by itself. It listens only on a unix socket in
 * a private folder, runs in its own session (Ctrl-C must not end it before our own parts are stopped), and as
 * another user if we are root.
 * @throws Error with a message for the operator
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { folder, logger, settings = {} } = options;
  const binaries = await prepareBinaries(findNativeFolder());
  const cluster = await openCluster(folder, binaries, settings.fsync !== 'off');
  await endLeftover(cluster.name, cluster.dataFolder, logger);
  const socket = await makeSocketFolder(folder, cluster.user);
  const server = new Server({ program: binaries.postgres, cluster, socket, settings, logger });
  const { password } = cluster;
  const superuserUrl = connectionUrl(superuser, 'postgres', password, socket.path, settings.port);
  try {
    await server.start();
    await createDatabase(superuserUrl, password);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return {
    url: connectionUrl(database, database, password, socket.path, settings.port),
    superuserUrl,
    get pid() {
      return server.pid;
    },
    stop: () => server.stop(),
    abandon: () => server.abandon(),
    restart: () => server.restart(),
    kill: () => server.kill(),
    ready: () => server.ready,
  };
}

/**
 * The URL of the embedded Postgres that another process runs in this folder.
 * @returns undefined if none runs. Contains a password: never log it.
 */
export async function runningEmbeddedUrl(folder: string): Promise<string | undefined> {
  const socket = await findSocketFolder(folder);
  if (socket === undefined) return undefined;
  const url = connectionUrl(database, database, await readPassword(folder), socket);
  try {
    const client = await openClient(url, purpose);
    await client.end();
    return url;
  } catch (error) {
    // A killed server leaves a folder without a socket, or a socket that nobody answers.
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return undefined;
    throw error;
  }
}

/** The host in the query takes precedence; the other one only makes it a URL that everything can parse. */
function connectionUrl(role: string, name: string, password: string, socket: string, port = '5432'): string {
  return `postgresql://${role}:${password}@localhost:${port}/${name}?host=${encodeURIComponent(socket)}&sslmode=disable`;
}

async function createDatabase(url: string, password: string): Promise<void> {
  const client = await openClient(url, purpose);
  try {
    const roles = await client.query('select 1 from pg_roles where rolname = $1', [database]);
    if (roles.rowCount === 0) {
      await client.query(`create role ${database} login password ${client.escapeLiteral(password)}`);
    }
    const databases = await client.query('select 1 from pg_database where datname = $1', [database]);
    if (databases.rowCount === 0) await client.query(`create database ${database} owner ${database}`);
  } finally {
    await client.end();
  }
}
