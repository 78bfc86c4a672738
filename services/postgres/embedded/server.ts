import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Cluster } from './cluster.ts';
import { endLeftover } from './leftover.ts';
import { commandAs, commandFailure, serverEnvironment } from './operating-user.ts';
import type { SocketFolder } from './socket-folder.ts';

/** How long a server may take to start: after a crash it first replays its write-ahead log. */
const startTimeoutMs = 300_000;

/**
 * How much of its write-ahead log a start replays at most after a crash or a power cut, at some 300 MB a second. With 1 GB,
 * the default, starts under load took 6 s. Shorter distances between checkpoints cost more in normal work: a page that is
 * changed again after one is written to the log in whole.
 */
const maxWalSize = '512MB';

export interface ServerOptions {
  /** The path of `postgres`. */
  readonly program: string;
  readonly cluster: Cluster;
  /** Removed when the server is stopped. */
  readonly socket: SocketFolder;
  readonly settings: Readonly<Record<string, string>>;
  readonly logger: Logger;
}

/** The server's process and its restarts. The methods are documented in embedded.ts. */
export class Server {
  /** Resolves when the present process accepts connections; rejects if the first start fails. */
  ready: Promise<void> = Promise.resolve();
  readonly #options: ServerOptions;
  #child: ChildProcess | undefined;
  #stopped: Promise<void> | undefined;
  /** Its last lines of output, for the error if it does not start. */
  #output: string[] = [];
  readonly #stopping = new AbortController();

  constructor(options: ServerOptions) {
    this.#options = options;
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
    this.#stopped ??= this.#end().then(() => this.#options.socket.remove());
    return this.#stopped;
  }

  abandon(): void {
    this.#stopping.abort();
    this.#child?.kill('SIGINT');
  }

  async restart(): Promise<void> {
    await this.ready;
    // The listener for its exit is called before this continues, and has started the next process.
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

  /** Starts one process, waits until it accepts connections, and from then on replaces it when it ends. */
  async #launch(): Promise<void> {
    this.#output = [];
    const command = commandAs(this.#options.cluster.user, this.#options.program, this.#parameters());
    const child = spawn(command.file, command.parameters, {
      detached: true,
      env: serverEnvironment,
      cwd: '/',
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    const failed = new Promise<never>((_, reject) => {
      child.once('error', (error) =>
        reject(commandFailure(this.#options.cluster.user, this.#options.program, error)),
      );
      child.once('exit', async (code, signal) => {
        // Its last output is read slightly after its exit.
        await Promise.race([once(child, 'close'), delay(200)]);
        reject(this.#endedError(code ?? signal));
      });
    });
    if (child.stderr) createInterface({ input: child.stderr }).on('line', (line) => this.#log(line));
    const decided = new AbortController();
    try {
      await Promise.race([this.#accepting(child, decided.signal), failed]);
    } finally {
      decided.abort();
    }
    this.#options.logger.debug({ pid: child.pid }, 'Postgres accepts connections');
    const replace = (code: number | null, signal: NodeJS.Signals | null) => {
      if (this.#stopping.signal.aborted) return;
      this.#options.logger.error({ exit: code ?? signal }, 'Postgres ended by itself: restarting it');
      this.ready = this.#relaunch();
      this.ready.catch(() => {});
    };
    if (hasEnded(child)) replace(child.exitCode, child.signalCode);
    else child.once('exit', replace);
  }

  /** Retries until the server runs, or `stop` is called. */
  async #relaunch(): Promise<void> {
    for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, 5_000)) {
      try {
        await endLeftover(this.#options.cluster.name, this.#options.cluster.dataFolder, this.#options.logger);
        this.#stopping.signal.throwIfAborted();
        return await this.#launch();
      } catch (error) {
        this.#stopping.signal.throwIfAborted();
        this.#options.logger.error({ err: error }, 'Postgres could not be restarted: retrying');
        await delay(pauseMs, undefined, { signal: this.#stopping.signal });
      }
    }
  }

  #parameters(): string[] {
    const settings = {
      listen_addresses: '',
      unix_socket_directories: `"${this.#options.socket.path}"`,
      unix_socket_permissions: '0700',
      port: '5432',
      cluster_name: this.#options.cluster.name,
      timezone: 'UTC',
      log_timezone: 'UTC',
      // Errors are returned to the client that caused them. Their texts contain values, which must not be logged.
      log_min_messages: 'log',
      log_min_error_statement: 'panic',
      log_error_verbosity: 'terse',
      log_line_prefix: '',
      max_wal_size: maxWalSize,
      ...this.#options.settings,
    };
    return [
      '-D',
      this.#options.cluster.dataFolder,
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ];
  }

  #log(line: string): void {
    this.#output = [...this.#output.slice(-9), line];
    // A connection that is being closed when we stop the server may be ended by it first.
    const ours = this.#stopping.signal.aborted && line.includes('terminating connection');
    const level = /^(FATAL|PANIC):/.test(line) && !ours ? 'warn' : 'debug';
    this.#options.logger[level]({ postgres: line }, 'output of Postgres');
  }

  /** Postgres writes its status into the eighth line of its pid file. */
  async #accepting(child: ChildProcess, decided: AbortSignal): Promise<void> {
    const until = performance.now() + startTimeoutMs;
    while (performance.now() < until && !decided.aborted) {
      const lines = await readFile(join(this.#options.cluster.dataFolder, 'postmaster.pid'), 'utf8').then(
        (text) => text.split('\n'),
        () => [],
      );
      if (Number(lines[0]) === child.pid && lines[7]?.trim() === 'ready') return;
      await delay(10);
    }
    throw this.#endedError(`not ready after ${startTimeoutMs / 1000} s`);
  }

  #endedError(reason: number | string | null): Error {
    const output = this.#output.length > 0 ? `: ${this.#output.join(' | ')}` : '';
    return new Error(`the embedded Postgres did not come up (${reason})${output}`);
  }

  /** Fast, then immediate shutdown, then SIGKILL; committed data survive each. */
  async #end(): Promise<void> {
    for (const [signal, timeoutMs] of [
      ['SIGINT', 30_000],
      ['SIGQUIT', 5_000],
      ['SIGKILL', 5_000],
    ] as const) {
      const child = this.#child;
      if (child?.pid === undefined || hasEnded(child)) return;
      const exited = once(child, 'exit');
      child.kill(signal);
      const timer = new AbortController();
      await Promise.race([exited, delay(timeoutMs, undefined, { signal: timer.signal }).catch(() => {})]);
      timer.abort();
    }
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
