import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';
import { locateBinaries } from './binaries.ts';
import { type Cluster, makeSocketFolder, openCluster, type SocketFolder, superuser } from './cluster.ts';
import { endLeftover } from './leftover.ts';
import { commandAs, commandFailure, serverEnvironment } from './operating-user.ts';

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

/** The database of the program and the role that owns it. */
const database = 'bubble_im';

/** How long a server may take to come up: after a crash it first reads its own journal again. */
const startMilliseconds = 300_000;

/**
 * Starts the Postgres whose programs come with the installed packages: makes its data where there are
 * none, ends a server that was left behind on them, and restarts it whenever it dies by itself. It
 * listens on a unix socket in a private folder only, runs in a session of its own (Ctrl-C does not reach
 * it before our own drain), and as another user where we are root.
 * @throws Error, in words for who starts the program, when it cannot be made to run.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { folder, logger, settings = {} } = options;
  const binaries = await locateBinaries();
  const cluster = await openCluster(folder, binaries, settings.fsync !== 'off');
  await endLeftover(cluster.name, cluster.dataFolder, logger);
  const socket = await makeSocketFolder(folder);
  const server = new Server(binaries.postgres, cluster, socket, settings, logger);
  const urlOf = (role: string, name: string) =>
    `postgresql://${role}:${cluster.password}@/${name}?host=${encodeURIComponent(socket.path)}&sslmode=disable`;
  const superuserUrl = urlOf(superuser, 'postgres');
  try {
    await server.start();
    await createDatabase(superuserUrl, cluster.password);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return {
    url: urlOf(database, database),
    superuserUrl,
    get pid() {
      return server.pid;
    },
    stop: () => server.stop(),
    restart: () => server.restart(),
    kill: () => server.kill(),
    ready: () => server.ready,
  };
}

async function createDatabase(url: string, password: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
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

/** The server's process and whoever follows it. */
class Server {
  /** Settles when the present process accepts connections; rejects when it could not be started at first. */
  ready: Promise<void> = Promise.resolve();
  readonly #program: string;
  readonly #cluster: Cluster;
  readonly #socket: SocketFolder;
  readonly #settings: Readonly<Record<string, string>>;
  readonly #logger: Logger;
  #child: ChildProcess | undefined;
  #stopped: Promise<void> | undefined;
  /** The last lines it told, for the error when it does not come up. */
  #told: string[] = [];
  readonly #stopping = new AbortController();

  constructor(
    program: string,
    cluster: Cluster,
    socket: SocketFolder,
    settings: Readonly<Record<string, string>>,
    logger: Logger,
  ) {
    this.#program = program;
    this.#cluster = cluster;
    this.#socket = socket;
    this.#settings = settings;
    this.#logger = logger;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  async start(): Promise<void> {
    this.ready = this.#launch();
    await this.ready;
  }

  stop(): Promise<void> {
    this.#stopping.abort();
    this.#stopped ??= this.#end().then(() => this.#socket.remove());
    return this.#stopped;
  }

  async restart(): Promise<void> {
    await this.ready;
    // Whoever follows the process hears of its end before we do, and has begun anew.
    await this.#end();
    await this.ready;
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || hasEnded(child)) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** Starts one process, waits until it accepts, and from then on replaces it when it ends. */
  async #launch(): Promise<void> {
    this.#told = [];
    const command = commandAs(this.#cluster.user, this.#program, this.#parameters());
    const child = spawn(command.file, command.parameters, {
      detached: true,
      env: serverEnvironment,
      cwd: '/',
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    const failed = new Promise<never>((_, reject) => {
      child.once('error', (error) => reject(commandFailure(this.#cluster.user, this.#program, error)));
      child.once('exit', (code, signal) => reject(this.#endedError(code ?? signal)));
    });
    if (child.stderr) createInterface({ input: child.stderr }).on('line', (line) => this.#hear(line));
    const decided = new AbortController();
    try {
      await Promise.race([this.#accepting(child, decided.signal), failed]);
    } finally {
      decided.abort();
    }
    this.#logger.debug({ pid: child.pid }, 'Postgres accepts connections');
    const replace = (code: number | null, signal: NodeJS.Signals | null) => {
      if (this.#stopping.signal.aborted) return;
      this.#logger.error({ exit: code ?? signal }, 'Postgres ended by itself: restarting it');
      this.ready = this.#relaunch();
      this.ready.catch(() => {});
    };
    if (hasEnded(child)) replace(child.exitCode, child.signalCode);
    else child.once('exit', replace);
  }

  /** Tries until it runs or is no longer wanted. */
  async #relaunch(): Promise<void> {
    for (let wait = 50; ; wait = Math.min(wait * 2, 5_000)) {
      try {
        await endLeftover(this.#cluster.name, this.#cluster.dataFolder, this.#logger);
        this.#stopping.signal.throwIfAborted();
        return await this.#launch();
      } catch (error) {
        this.#stopping.signal.throwIfAborted();
        this.#logger.error({ err: error }, 'Postgres could not be restarted: trying again');
        await delay(wait, undefined, { signal: this.#stopping.signal });
      }
    }
  }

  #parameters(): string[] {
    const settings = {
      listen_addresses: '',
      unix_socket_directories: `"${this.#socket.path}"`,
      unix_socket_permissions: '0700',
      port: '5432',
      cluster_name: this.#cluster.name,
      timezone: 'UTC',
      log_timezone: 'UTC',
      // Errors go to who caused them. Their texts hold values, which are no business of a log.
      log_min_messages: 'log',
      log_min_error_statement: 'panic',
      log_error_verbosity: 'terse',
      log_line_prefix: '',
      ...this.#settings,
    };
    return [
      '-D',
      this.#cluster.dataFolder,
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ];
  }

  #hear(line: string): void {
    this.#told = [...this.#told.slice(-9), line];
    if (/^(FATAL|PANIC):/.test(line)) this.#logger.warn({ postgres: line }, 'Postgres tells');
    else this.#logger.debug({ postgres: line }, 'Postgres tells');
  }

  /** Postgres writes into its pid file, below its pid, how far it is. */
  async #accepting(child: ChildProcess, decided: AbortSignal): Promise<void> {
    const until = performance.now() + startMilliseconds;
    while (performance.now() < until && !decided.aborted) {
      const lines = await readFile(join(this.#cluster.dataFolder, 'postmaster.pid'), 'utf8').then(
        (text) => text.split('\n'),
        () => [],
      );
      if (Number(lines[0]) === child.pid && lines[7]?.trim() === 'ready') return;
      await delay(10);
    }
    throw this.#endedError(`not ready after ${startMilliseconds / 1000} s`);
  }

  #endedError(reason: number | string | null): Error {
    const told = this.#told.length > 0 ? `: ${this.#told.join(' | ')}` : '';
    return new Error(`the embedded Postgres did not come up (${reason})${told}`);
  }

  /** From the kindest way to the one that cannot be refused; committed data survive each. */
  async #end(): Promise<void> {
    for (const [signal, milliseconds] of [
      ['SIGINT', 30_000],
      ['SIGQUIT', 5_000],
      ['SIGKILL', 5_000],
    ] as const) {
      const child = this.#child;
      if (child?.pid === undefined || hasEnded(child)) return;
      const exited = once(child, 'exit');
      child.kill(signal);
      const patience = new AbortController();
      await Promise.race([
        exited,
        delay(milliseconds, undefined, { signal: patience.signal }).catch(() => {}),
      ]);
      patience.abort();
    }
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
