import type { Logger } from 'pino';
import { openClient, type Purpose } from '../connect.ts';
import { findNativeFolder, prepareBinaries } from './binaries.ts';
import { openCluster, readPassword, superuser } from './cluster.ts';
import { endLeftover } from './leftover.ts';
import { Server } from './server.ts';
import { findSocketFolder, makeSocketFolder } from './socket-folder.ts';

/** A Postgres server of our own, kept running until it is stopped. */
export interface EmbeddedPostgres {
  /** Connects as the owner of the program's database, who is no superuser. Holds a password: never log it. */
  readonly url: string;
  /** Connects as the superuser. */
  readonly superuserUrl: string;
  /** The server's process now; after a crash it is another one. */
  readonly pid: number;
  /** Ends the server in good order, its connections too. Once it is called nothing restarts. */
  stop(): Promise<void>;
  /** Tells it to end in good order and does not wait: for a process that exits at once. */
  abandon(): void;
  /** Stops it in good order and has it accept connections again. */
  restart(): Promise<void>;
  /** SIGKILL, as a crash would; settles when the process is gone. It is then restarted by itself. */
  kill(): Promise<void>;
  /** Settles when it accepts connections, after a crash too. */
  ready(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** Holds all its data; made where it is not. The caller alone must hold it. */
  readonly folder: string;
  readonly logger: Logger;
  /** Settings of Postgres beyond ours, for tests. `fsync: 'off'` makes the initialising faster as well. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Making a database copies its template, which takes a slow disk its time. */
const purpose: Purpose = { name: 'bubble-im start', statementTimeoutMs: 60_000 };

/** The database of the program and the role that owns it. */
const database = 'bubble_im';

/**
 * Starts the Postgres whose programs come with the installed packages: makes its data where there are
 * none, ends a server that was left behind on them, and restarts it whenever it dies by itself. It
 * listens on a unix socket in a private folder only, runs in a session of its own (Ctrl-C does not reach
 * it before our own drain), and as another user where we are root.
 * @throws Error, in words for who starts the program, when it cannot be made to run.
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
 * How to connect to the embedded Postgres that another process runs in this folder.
 * @returns undefined where none runs. Holds a password: never log it.
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
    // What a killed server left behind: a folder without a socket, or one that nobody answers.
    if (
      error instanceof Error &&
      'code' in error &&
      (error.code === 'ENOENT' || error.code === 'ECONNREFUSED')
    ) {
      return undefined;
    }
    throw error;
  }
}

/** The host of the query goes before the other, without which many would not take it for a URL. */
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
