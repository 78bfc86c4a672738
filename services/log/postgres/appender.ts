import { setImmediate as breathe, setTimeout as delay } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import pg from 'pg';
import type { Logger } from 'pino';
import { pipeline } from '../../postgres/pipeline.ts';
import type { Continuity } from '../continuity.ts';
import { type AppendResult, type ExpectedRevision, LogFailure, type StreamName } from '../log.ts';
import type { PreparedEvent } from '../prepared.ts';
import {
  anything,
  appendStatement,
  type Committed,
  committedOf,
  nextBatch,
  type WaitingAppend,
} from './batch.ts';
import { LastingConnection } from './connection.ts';
import { sightOver } from './identity.ts';

/** What may wait for its turn before more is refused. */
const maxWaitingBytes = 256_000_000;

const pauseAfterRefusal = 50;

/** Of so many streams the last revision is remembered. */
const maxHints = 100_000;

export interface AppenderOptions {
  readonly config: pg.ClientConfig;
  readonly logger: Logger;
  /** How long an append is tried before it fails, in milliseconds. */
  readonly patience: number;
  readonly continuity: Continuity;
  /** Hears of each batch before its callers do; the places of what was stored now have no gap. */
  readonly onCommitted: (batch: readonly Committed[]) => void;
}

/**
 * Appends for a whole process over one connection, by group commit: while one batch is being
 * committed the next one gathers; nothing waits for a clock.
 *
 * An answer that got lost is asked for again with the same ids, which cannot store anything twice.
 */
export class Appender {
  readonly #logger: Logger;
  readonly #patience: number;
  readonly #continuity: Continuity;
  readonly #onCommitted: (batch: readonly Committed[]) => void;
  readonly #connection: LastingConnection;
  /** How far streams were at least; nothing is decided by it. */
  readonly #hints = new LRUCache<StreamName, number>({ max: maxHints });
  #waiting: WaitingAppend[] = [];
  #waitingBytes = 0;
  /** Appends whose callers were not answered yet. */
  #unanswered = 0;
  #working = false;
  #closed = false;
  #expiry: NodeJS.Timeout | undefined;
  /** The server's process behind the connection, as notifications name it. */
  backend: number | undefined;

  constructor(options: AppenderOptions) {
    this.#logger = options.logger;
    this.#patience = options.patience;
    this.#onCommitted = options.onCommitted;
    // Half the patience is left for a second try on another connection.
    const longest = Math.ceil(options.patience / 2);
    this.#connection = new LastingConnection({
      config: options.config,
      purpose: {
        name: 'bubble-im log appender',
        statement: longest,
        settings: { lock_timeout: `${longest}` },
      },
      logger: options.logger,
      makeReady: (client) => this.#makeReady(client),
    });
    this.#continuity = options.continuity;
    this.#continuity.onChanged(() => this.#letGo());
  }

  /** @throws LogFailure */
  append(
    stream: StreamName,
    expected: ExpectedRevision,
    events: readonly PreparedEvent[],
    generation = this.#continuity.generation,
  ): Promise<AppendResult> {
    return new Promise((resolve, reject) => {
      if (generation !== this.#continuity.generation) throw changedMeanwhile('unavailable');
      if (this.#closed) throw new LogFailure('unavailable', 'the log is closed');
      if (this.#waitingBytes > maxWaitingBytes) {
        throw new LogFailure('unavailable', 'too much waits to be appended');
      }
      const bytes = events.reduce((sum, { data, metadata }) => sum + data.length + metadata.length, 0);
      this.#waitingBytes += bytes;
      this.#unanswered++;
      this.#waiting.push({
        stream,
        expected: expected === 'any' ? anything : expected === 'none' ? -1 : expected,
        events,
        bytes,
        deadline: performance.now() + this.#patience,
        resolve,
        reject,
        doubtful: false,
        refused: undefined,
        alone: false,
      });
      this.#watchDeadlines();
      if (!this.#working) this.#startWorking();
    });
  }

  /** Settles once the first connection stands. @throws LogFailure where none comes about in time. */
  async connected(): Promise<void> {
    const patience = new AbortController();
    const late = delay(this.#patience, undefined, { signal: patience.signal }).catch(() => undefined);
    const client = await Promise.race([this.#connection.connected(), late]);
    patience.abort();
    if (!client) throw this.#failure('unavailable');
  }

  /** Whether there is a connection to append over. */
  get ready(): boolean {
    return this.#connection.client !== undefined;
  }

  /** Takes no more, answers what waits, lets go of the connection. */
  async close(): Promise<void> {
    this.#closed = true;
    // Each is answered by its deadline at the latest.
    while (this.#unanswered > 0) await delay(5);
    await this.#connection.close();
    clearTimeout(this.#expiry);
  }

  async #makeReady(client: pg.Client): Promise<void> {
    const { rows } = await client.query<{ backend: number; fsync: string }>(
      `select pg_backend_pid() as backend, current_setting('fsync') as fsync,
        -- what is acknowledged must be on disk, whatever the server's default
        set_config('synchronous_commit',
          case current_setting('synchronous_commit') when 'remote_apply' then 'remote_apply' else 'on' end, false)`,
    );
    await this.#continuity.check(sightOver(client));
    this.backend = rows[0]?.backend;
    if (rows[0]?.fsync === 'off') {
      this.#logger.warn('the server of the log has fsync off: a power cut may take what was acknowledged');
    }
  }

  /** What waits was decided on a log that is gone. */
  #letGo(): void {
    this.#hints.clear();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const append of waiting) {
      this.#forget(append);
      append.reject(changedMeanwhile(append.doubtful ? 'doubtful' : 'unavailable'));
    }
  }

  #startWorking(): void {
    this.#working = true;
    // What arrives in the same turn of the event loop comes along. An error of the loop itself is not
    // caught: it ends the process, which could append nothing any more.
    setImmediate(() => void this.#work());
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      const client = this.#connection.client ?? (await this.#connection.connected());
      if (!client) break;
      const { batch, rest } = nextBatch(this.#waiting);
      if (batch.length === 0) break;
      this.#waiting = rest;
      const committed = await this.#send(client, batch).catch((error: unknown) =>
        this.#retryLater(batch, error),
      );
      if (committed) this.#settle(committed);
      // Lets the callers that were just answered, and what has arrived, join the next batch.
      await breathe();
    }
    this.#working = false;
  }

  async #send(client: pg.Client, batch: readonly WaitingAppend[]): Promise<readonly Committed[]> {
    const statement = appendStatement(batch, (stream) => this.#hints.get(stream) ?? 0);
    const [rows = []] = await pipeline(client, [statement]);
    return committedOf(batch, rows[0]);
  }

  #settle(committed: readonly Committed[]): void {
    this.#onCommitted(committed);
    for (const { append, result } of committed) {
      if (result.outcome === 'appended') this.#hints.set(append.stream, result.revision);
      this.#forget(append);
      append.resolve(result);
    }
  }

  async #retryLater(batch: WaitingAppend[], error: unknown): Promise<void> {
    const refusal = refusalOf(error);
    if (refusal === 'of this') {
      if (batch.length === 1) {
        for (const append of batch) this.#reject(append, error);
        return;
      }
      for (const append of batch) append.alone = true;
    }
    for (const append of batch) {
      append.refused = refusal === undefined ? undefined : error;
      if (refusal === undefined) append.doubtful = true;
    }
    // No more of the error than this: its details may quote what was to be stored.
    const reason = error instanceof Error ? error.message : String(error);
    this.#logger.warn({ reason, appends: batch.length }, 'a batch was not answered well, trying again');
    this.#waiting = batch.concat(this.#waiting);
    clearTimeout(this.#expiry);
    this.#expiry = undefined;
    this.#watchDeadlines();
    if (refusal === 'for now') await delay(pauseAfterRefusal);
  }

  #reject(append: WaitingAppend, cause: unknown = append.refused): void {
    this.#forget(append);
    append.reject(this.#failure(append.doubtful ? 'doubtful' : 'unavailable', cause));
  }

  #forget(append: WaitingAppend): void {
    this.#waitingBytes -= append.bytes;
    this.#unanswered--;
  }

  #failure(kind: LogFailure['kind'], cause: unknown = this.#connection.failure): LogFailure {
    const refused = cause instanceof pg.DatabaseError ? 'the log refused it' : 'the log cannot be reached';
    const message = kind === 'doubtful' ? 'the log did not answer' : refused;
    return new LogFailure(kind, message, { cause });
  }

  /** All wait equally long, so that the first one in the queue is the first to give up. */
  #watchDeadlines(): void {
    const first = this.#waiting[0];
    if (this.#expiry || !first) return;
    this.#expiry = setTimeout(
      () => {
        this.#expiry = undefined;
        const now = performance.now();
        const expired = this.#waiting.filter(({ deadline }) => deadline <= now);
        this.#waiting = this.#waiting.filter(({ deadline }) => deadline > now);
        for (const append of expired) this.#reject(append);
        this.#watchDeadlines();
      },
      Math.max(first.deadline - performance.now(), 1),
    );
  }
}

function changedMeanwhile(kind: LogFailure['kind']): LogFailure {
  return new LogFailure(kind, 'the log is another one than it was when this was decided');
}

/**
 * Whether the server said no, after which nothing is stored: `for now`, or because of something in
 * the batch. Undefined where it said nothing, or what it also says while it goes down.
 */
function refusalOf(error: unknown): 'for now' | 'of this' | undefined {
  if (error instanceof TypeError) return 'of this';
  if (!(error instanceof pg.DatabaseError) || error.severity !== 'ERROR') return undefined;
  // locks, deadlocks, cancelling, a full disk, a server that only reads at the moment
  return /^(55P03|40...|57...|53...|25006|58...)$/.test(error.code ?? '') ? 'for now' : 'of this';
}
