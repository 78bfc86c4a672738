import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import pTimeout from 'p-timeout';
import pg from 'pg';
import type { Logger } from 'pino';
import { growingCache } from '../../growing-cache.ts';
import { pipeline } from '../../postgres/pipeline.ts';
import { ReconnectingClient } from '../../postgres/reconnecting-client.ts';
import type { PreparedEvent } from '../append-request.ts';
import type { Continuity } from '../continuity.ts';
import { type AppendResult, type ExpectedRevision, LogFailure, type StreamName } from '../log.ts';
import { AppendQueue } from './append-queue.ts';
import { anyRevision, appendStatement, type Committed, committedOf, type PendingAppend } from './batch.ts';
import { inspectorOver } from './identity-table.ts';
import { singleAppendStatements, singleCommitted, singleOf } from './single-append.ts';

/** The pause after the server refused a batch for a reason that passes, such as a lock. */
const refusalPauseMs = 50;

/** The number of streams whose last revision is remembered. */
const maxHints = 100_000;

export interface AppenderOptions {
  readonly config: pg.ClientConfig;
  readonly logger: Logger;
  /** For how long an append is retried before it fails. */
  readonly appendTimeoutMs: number;
  readonly continuity: Continuity;
  /** Called with each batch before its callers get their results. The numbers of the events stored now have no gap. */
  readonly onCommitted: (batch: readonly Committed[]) => void;
  /** Called when another connection has appended: the log reaches at least to this event number. */
  readonly onNotified: (eventNumber: number) => void;
  /** Called with each new connection: notifications may have been lost. */
  readonly onConnected: () => void;
}

/**
 * Appends for a whole process over one connection, by group commit: appends that arrive while one batch is being
 * committed form the next one. No append waits for a timer.
 *
 * The same connection listens to the notifications of appends. On another one, the notification of each batch of our own
 * would wake another process of the server, and that one ours, to no purpose.
 *
 * If an answer is lost, the batch is sent again with the same ids, which cannot store anything twice.
 */
export class Appender {
  readonly #logger: Logger;
  readonly #appendTimeoutMs: number;
  readonly #continuity: Continuity;
  readonly #onCommitted: (batch: readonly Committed[]) => void;
  readonly #onNotified: (eventNumber: number) => void;
  readonly #onConnected: () => void;
  readonly #connection: ReconnectingClient;
  /** The last known revisions of streams, which spare `log.append` a search. No result depends on them. */
  readonly #hints = growingCache<StreamName, number>(maxHints);
  readonly #queue = new AppendQueue((append) => this.#fail(append));
  #working = false;
  #closed = false;

  constructor(options: AppenderOptions) {
    this.#logger = options.logger;
    this.#appendTimeoutMs = options.appendTimeoutMs;
    this.#onCommitted = options.onCommitted;
    this.#onNotified = options.onNotified;
    this.#onConnected = options.onConnected;
    // Half of the time is left for a second attempt on another connection.
    const statementTimeoutMs = Math.ceil(options.appendTimeoutMs / 2);
    this.#connection = new ReconnectingClient({
      config: options.config,
      purpose: {
        name: 'bubble-im log appender',
        statementTimeoutMs,
        settings: {
          lock_timeout: `${statementTimeoutMs}`,
          // As for `log.append`: a plan is made once, and never one that scans the table because it was small at the time.
          plan_cache_mode: 'force_generic_plan',
          enable_seqscan: 'off',
        },
      },
      logger: options.logger,
      makeReady: (client) => this.#makeReady(client),
    });
    this.#continuity = options.continuity;
    this.#continuity.onChanged(() => this.#reset());
  }

  /** @throws LogFailure */
  append(
    stream: StreamName,
    expected: ExpectedRevision,
    events: readonly PreparedEvent[],
    generation = this.#continuity.generation,
  ): Promise<AppendResult> {
    return new Promise((resolve, reject) => {
      if (generation !== this.#continuity.generation) throw logChanged('unavailable');
      if (this.#closed) throw new LogFailure('unavailable', 'the log is closed');
      this.#queue.add({
        stream,
        expected: expected === 'any' ? anyRevision : expected === 'none' ? -1 : expected,
        events,
        bytes: events.reduce((sum, { data, metadata }) => sum + data.length + metadata.length, 0),
        deadline: performance.now() + this.#appendTimeoutMs,
        resolve,
        reject,
        doubtful: false,
        refused: undefined,
        alone: false,
      });
      if (!this.#working) this.#startWorking();
    });
  }

  /** Resolves when the first connection is ready. @throws LogFailure if that takes longer than `timeoutMs` */
  async connected(timeoutMs: number): Promise<void> {
    const connecting = this.#connection.connected();
    const client = await pTimeout(connecting, { milliseconds: timeoutMs, fallback: () => undefined });
    if (!client) throw this.#failure('unavailable');
  }

  /** Whether there is a connection to append over. */
  get ready(): boolean {
    return this.#connection.client !== undefined;
  }

  /** Refuses further appends, waits for the results of the others, closes the connection. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#queue.drained();
    await this.#connection.close();
    this.#queue.stop();
  }

  async #makeReady(client: pg.Client): Promise<void> {
    const { rows } = await client.query<{ backend: number; fsync: string }>(
      `select pg_backend_pid() as backend, current_setting('fsync') as fsync,
        -- acknowledged appends must be on disk, whatever the server's default
        set_config('synchronous_commit',
          case current_setting('synchronous_commit') when 'remote_apply' then 'remote_apply' else 'on' end, false)`,
    );
    const backend = rows[0]?.backend;
    client.on('notification', ({ processId, payload }) => {
      // Our own appends are announced when their results arrive, with their events.
      if (processId !== backend) this.#onNotified(Number(payload));
    });
    await client.query('listen log');
    await this.#continuity.check(inspectorOver(client));
    this.#onConnected();
    if (rows[0]?.fsync === 'off') {
      this.#logger.warn('the server of the log has fsync off: a power cut may lose acknowledged appends');
    }
  }

  /** Rejects what waits, since it was decided on a log that no longer exists. */
  #reset(): void {
    this.#hints.clear();
    for (const append of this.#queue.clear()) {
      this.#queue.settled(append);
      append.reject(logChanged(append.doubtful ? 'doubtful' : 'unavailable'));
    }
  }

  #startWorking(): void {
    this.#working = true;
    // Appends of the same turn of the event loop join the batch. An error of the loop itself is not
    // caught: it ends the process, which could no longer append anything.
    setImmediate(() => void this.#work());
  }

  async #work(): Promise<void> {
    while (!this.#queue.isEmpty) {
      const client = this.#connection.client ?? (await this.#connection.connected());
      if (!client) break;
      const batch = this.#queue.nextBatch();
      if (batch.length === 0) break;
      const committed = await this.#send(client, batch).catch((error: unknown) => this.#retry(batch, error));
      if (committed) this.#settle(committed);
      // Lets the callers that have just got their results append again in the next batch.
      await nextTurn();
    }
    this.#working = false;
  }

  async #send(client: pg.Client, batch: readonly PendingAppend[]): Promise<readonly Committed[]> {
    const hintOf = (stream: StreamName) => this.#hints.get(stream) ?? 0;
    const single = singleOf(batch);
    if (single) {
      const statements = singleAppendStatements(single, hintOf(single.append.stream));
      const row = (await pipeline(client, statements)).at(-1)?.[0];
      if (row) return [singleCommitted(single, row)];
    }
    const [rows = []] = await pipeline(client, [appendStatement(batch, hintOf)]);
    return committedOf(batch, rows[0]);
  }

  #settle(committed: readonly Committed[]): void {
    this.#onCommitted(committed);
    for (const { append, result } of committed) {
      if (result.outcome === 'appended') this.#hints.set(append.stream, result.revision);
      this.#queue.settled(append);
      append.resolve(result);
    }
  }

  async #retry(batch: readonly PendingAppend[], error: unknown): Promise<void> {
    const refusal = refusalOf(error);
    if (refusal === 'full') {
      for (const append of batch) this.#fail(append, error);
      return;
    }
    if (refusal === 'permanent') {
      if (batch.length === 1) {
        for (const append of batch) this.#fail(append, error);
        return;
      }
      for (const append of batch) append.alone = true;
    }
    const repeated = batch.every((append) => append.refused !== undefined);
    for (const append of batch) {
      append.refused = refusal === undefined ? undefined : error;
      if (refusal === undefined) append.doubtful = true;
    }
    // Only the message: details of the error may contain events. A refusal that lasts is logged once for each append.
    const reason = error instanceof Error ? error.message : String(error);
    if (!repeated || refusal === undefined)
      this.#logger.warn({ reason, appends: batch.length }, 'a batch of appends failed; retrying');
    this.#queue.putBack(batch);
    if (refusal === 'temporary') await delay(refusalPauseMs);
  }

  #fail(append: PendingAppend, cause: unknown = append.refused): void {
    this.#queue.settled(append);
    append.reject(this.#failure(append.doubtful ? 'doubtful' : 'unavailable', cause));
  }

  #failure(kind: LogFailure['kind'], cause: unknown = this.#connection.failure): LogFailure {
    const refused = cause instanceof pg.DatabaseError ? 'the log refused it' : 'the log cannot be reached';
    const message = kind === 'doubtful' ? 'the log did not answer' : refused;
    return new LogFailure(kind, message, { cause });
  }
}

function logChanged(kind: LogFailure['kind']): LogFailure {
  return new LogFailure(kind, 'the log has changed since this was decided');
}

/**
 * Why the server refused a batch, of which then nothing is stored: for a reason that passes, because of what an append
 * contains, or because its disk is full. Undefined if the error does not say that nothing was stored, as when the server shuts down.
 */
function refusalOf(error: unknown): 'temporary' | 'permanent' | 'full' | undefined {
  if (error instanceof TypeError) return 'permanent';
  if (!(error instanceof pg.DatabaseError) || error.severity !== 'ERROR') return undefined;
  // Within the time of an append nobody makes space on a disk: its caller gets the reason at once.
  if (error.code === '53100') return 'full';
  // Locks, deadlocks, cancellation, a lack of memory, a server that is read-only at the moment.
  return /^(55P03|40...|57...|53...|25006|58...)$/.test(error.code ?? '') ? 'temporary' : 'permanent';
}
