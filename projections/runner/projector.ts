import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import type { Logger } from 'pino';
import { categories, type DomainEvent } from '../../contracts/events/index.ts';
import type { Bus } from '../../services/bus/bus.ts';
import { identify } from '../../services/edge/identify.ts';
import { type Decoded, tryDecode, UnreadableEvent } from '../../services/log/codec.ts';
import { LogChanged, StrangeLog } from '../../services/log/identity.ts';
import {
  type EventLog,
  LogFailure,
  type Position,
  type RecordedEvent,
  startOfLog,
} from '../../services/log/log.ts';
import { Skips } from '../../services/log/skips.ts';
import { type DatabaseConfig, openClient, type Purpose } from '../../services/postgres/connect.ts';
import type { SilenceWatch } from '../../services/postgres/silence.ts';
import { projectionsByType } from '../index.ts';
import type { Projection } from '../projection.ts';
import { BatchProjector, ProjectionFault, sqlState } from './batch.ts';
import { Connections } from './connections.ts';
import { type Held, Lease, leaseMilliseconds } from './lease.ts';
import { matchLog } from './log-match.ts';
import { Pace } from './pace.ts';
import { expirePushes } from './push-expiry.ts';

export interface ProjectorOptions {
  readonly log: EventLog;
  /** Where the read models are. */
  readonly database: DatabaseConfig;
  readonly bus: Bus;
  readonly logger: Logger;
}

export interface ProjectorStatus {
  /** Whether it is the one at work; false while it stands by, or has stopped. */
  readonly active: boolean;
  /** Up to where the read models reach, as far as it knows. */
  readonly checkpoint: Position;
  /** For how long it has had something to do without getting on, in milliseconds; 0 if there is nothing to do. */
  readonly stalled: number;
  /** How many events it takes in a second, and how much of the log one is, where that is known. */
  readonly perSecond: number;
  readonly extentOfEvent: number | undefined;
  /** Why the read models do not follow the log: an event that cannot be taken in, or a log that is not theirs. */
  readonly fault?: string;
}

const renewMilliseconds = leaseMilliseconds / 4;
const standbyMilliseconds = leaseMilliseconds / 8;
const firstPause = 100;
const longestPause = 2_000;
const patience = 5_000;
const expiryMilliseconds = 600_000;
/** How often it is looked whether a log that is not ours was replaced, and how often that is told. */
const strangeMilliseconds = 2_000;
const reminderMilliseconds = 60_000;
/** How often it is looked whether an event that is in the way was passed over. */
const skipMilliseconds = 500;

/**
 * A batch writes 10,000 rows at most, which takes a busy disk some seconds. What is lost in a crash is
 * made again, so commits need not wait for the disk; every statement finds its rows by a key, so a plan
 * without an index is never the right one.
 */
const workerPurpose: Purpose = {
  name: 'bubble-im projector',
  statement: 15_000,
  settings: {
    synchronous_commit: 'off',
    enable_seqscan: 'off',
    enable_hashjoin: 'off',
    enable_mergejoin: 'off',
    plan_cache_mode: 'force_generic_plan',
    jit: 'off',
  },
};

/** Tables are emptied once they are read by nobody, within a minute. */
const matchPurpose: Purpose = { name: 'bubble-im projector match', statement: 60_000 };

/** To renew the lease is one small write. */
const keeperPurpose: Purpose = { name: 'bubble-im projector lease', statement: 2_000 };

interface Work {
  /** The connection that writes the read models. */
  readonly worker: Client;
  readonly watch: SilenceWatch;
  readonly lease: Lease;
  readonly held: Held;
  readonly signal: AbortSignal;
  /** Ends the work for a reason. */
  readonly fail: (error: unknown) => void;
}

/** Another projector has gone on, or holds the lease now. */
class SteppedDown extends Error {
  override readonly name = 'SteppedDown';
}

/**
 * Keeps the read models up to date with the log. Of all projectors on a database one works and the
 * others stand by. It goes on by itself after any trouble with the database. Before an event that cannot
 * be taken in it stops, which `status` tells, until the event is passed over.
 */
export class Projector {
  readonly #options: ProjectorOptions;
  readonly #logger: Logger;
  readonly #holder = `${hostname()}/${process.pid}/${randomUUID()}`;
  readonly #projections: ReadonlyMap<string, Projection<DomainEvent>>;
  #skips: Skips;
  readonly #stopping = new AbortController();
  #connections: Connections | undefined;
  #running: Promise<void> = Promise.resolve();
  #active = false;
  #checkpoint: Position = startOfLog;
  #fault: string | undefined;
  /** When it last got on, while it has something to do. */
  #busySince: number | undefined;
  /** When the fault was last told. */
  #toldAt = 0;
  readonly #pace = new Pace();
  #pause = firstPause;

  constructor(options: ProjectorOptions) {
    this.#options = options;
    this.#logger = options.logger.child({ part: 'projector' });
    this.#skips = new Skips(options.log);
    this.#projections = projectionsByType(options.log.remembersIds === 'recently');
  }

  /** Begins. Called once. */
  start(): void {
    this.#running = this.#run();
  }

  /** Finishes the batch under way and lets another go on at once. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const late = setTimeout(
      () => this.#connections?.cut(new Error('the database did not answer in time')),
      patience,
    );
    await this.#running;
    clearTimeout(late);
  }

  /** Why the read models do not follow the log, if they do not: asked at every call of the API. */
  get fault(): string | undefined {
    return this.#fault;
  }

  status(): ProjectorStatus {
    const fault = this.#fault === undefined ? {} : { fault: this.#fault };
    const stalled = this.#busySince === undefined ? 0 : performance.now() - this.#busySince;
    const { perSecond, extentOfEvent } = this.#pace;
    const active = this.#active;
    return { active, checkpoint: this.#checkpoint, stalled, perSecond, extentOfEvent, ...fault };
  }

  /** For how long, in milliseconds, the first event that the read models lack has been in the log; else 0. */
  async lag(): Promise<number> {
    const after = this.#checkpoint;
    for await (const { recorded } of this.#options.log.readAll({ after, prefixes: categories, limit: 1 })) {
      return Math.max(1, Date.now() - recorded);
    }
    return 0;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.#session();
      } catch (error) {
        if (signal.aborted) break;
        if (error instanceof UnreadableEvent || error instanceof ProjectionFault) {
          await this.#waitForSkip(error);
          continue;
        }
        if (error instanceof StrangeLog) {
          await this.#waitForOurs(error.message);
          continue;
        }
        if (error instanceof LogChanged) continue;
        if (error instanceof SteppedDown) {
          this.#logger.warn(error.message);
          continue;
        }
        this.#logger.warn({ err: error }, 'the projector was interrupted and tries again');
        await delay(this.#pause, undefined, { signal }).catch(() => undefined);
        this.#pause = Math.min(this.#pause * 2, longestPause);
      }
    }
  }

  /** The right log may come back, as when a restore is under way: it is looked again. */
  async #waitForOurs(reason: string): Promise<void> {
    const now = performance.now();
    if (this.#fault !== reason || now - this.#toldAt >= reminderMilliseconds) {
      this.#logger.fatal({ reason }, 'the read models cannot follow the log');
      this.#toldAt = now;
    }
    this.#fault = reason;
    await delay(strangeMilliseconds, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }

  /**
   * Leaves the work to others, of whom a newer program may take the event in, until an operator has decided
   * that it is passed over, or the log is another. A program that has met an event which it does not know is
   * not to be relied on afterwards, even if another one goes on from there.
   */
  async #waitForSkip({ message, event }: UnreadableEvent | ProjectionFault): Promise<void> {
    const { signal } = this.#stopping;
    const { log } = this.#options;
    const { generation } = log;
    this.#fault = message;
    this.#busySince = undefined;
    // No more of the error than this: an event and its cause may quote what somebody wrote.
    this.#logger.fatal(
      { reason: message, position: event.position },
      `the read models stop before an event that this program cannot take in: start a newer program, or pass the event over by npm run skip -- ${event.position} --why "…"`,
    );
    while (!signal.aborted && log.generation === generation && !this.#skips.has(event)) {
      await delay(skipMilliseconds, undefined, { signal }).catch(() => undefined);
      try {
        await this.#skips.refresh();
      } catch (error) {
        if (!(error instanceof LogFailure || error instanceof LogChanged)) throw error;
      }
    }
    if (signal.aborted) return;
    this.#fault = undefined;
    const why = this.#skips.reason(event);
    if (why !== undefined) this.#logger.warn({ position: event.position, why }, 'the event is passed over');
  }

  /** Stands by, then works, until it is stopped or something is in the way. */
  async #session(): Promise<void> {
    this.#busySince ??= performance.now();
    const ending = new AbortController();
    const { signal } = ending;
    const stop = () => ending.abort();
    this.#stopping.signal.addEventListener('abort', stop);
    let failure: unknown;
    const fail = (error: unknown) => {
      if (signal.aborted) return;
      failure = error;
      ending.abort();
      connections.cut(error);
    };
    const connections = new Connections(this.#options.database, fail);
    this.#connections = connections;
    try {
      const { client: keeper } = await connections.open(keeperPurpose);
      const { client: worker, watch } = await connections.open(workerPurpose);
      const lease = await Lease.over(keeper, worker, this.#holder);
      const held = await this.#standBy(lease, signal);
      if (held) await this.#work({ worker, watch, lease, held, signal, fail });
      stop();
    } catch (error) {
      // What broke first says more than what broke because of it.
      failure ??= error;
    } finally {
      stop();
      this.#active = false;
      this.#stopping.signal.removeEventListener('abort', stop);
      await connections.end();
    }
    if (failure !== undefined) throw failure;
  }

  /** Waits until nobody else holds the lease. */
  async #standBy(lease: Lease, signal: AbortSignal): Promise<Held | undefined> {
    while (!signal.aborted) {
      const held = await lease.take();
      if (held) return held;
      this.#busySince = undefined;
      this.#checkpoint = await lease.checkpoint();
      await delay(standbyMilliseconds, undefined, { signal }).catch(() => undefined);
    }
    return undefined;
  }

  async #work({ worker, watch, lease, held: taken, signal, fail }: Work): Promise<void> {
    const { log, bus } = this.#options;
    const ending = new AbortController();
    const ended = AbortSignal.any([signal, ending.signal]);
    const besides = [this.#keep(lease, taken, watch, ended).catch(fail), this.#expire(ended)];
    try {
      const held = await this.#match(taken);
      this.#fault = undefined;
      this.#checkpoint = held.position;
      this.#active = true;
      this.#busySince = undefined;
      this.#logger.info({ fence: held.fence, checkpoint: held.position }, 'this projector works');
      // Who listens may have missed what the one before committed and did not live to tell.
      bus.publish({ checkpoint: held.position, fence: held.fence, batch: held.batch }, []);
      // What is decided later comes with the events, at its place.
      this.#skips = new Skips(log);
      await this.#skips.refresh();
      const projector = new BatchProjector(worker, this.#projections, held);
      const options = { after: held.position, prefixes: categories, signal: ended };
      for await (const records of log.subscribe(options)) await this.#take(projector, records);
    } catch (error) {
      throw sqlState(error) === 'BI001' ? new SteppedDown('another projector has gone on') : error;
    } finally {
      ending.abort();
      await Promise.all(besides);
      await lease.release(taken).catch(() => undefined);
    }
  }

  /** Has the read models fit the log. @throws StrangeLog if they are another installation's */
  async #match(held: Held): Promise<Held> {
    const { log, database } = this.#options;
    const client = await openClient(database, matchPurpose);
    try {
      const identity = await identify(log, client);
      return await matchLog({ log, client, held: { ...held, ...identity }, logger: this.#logger });
    } finally {
      await client.end();
    }
  }

  async #take(projector: BatchProjector, records: readonly RecordedEvent[]): Promise<void> {
    const events: Decoded[] = [];
    let unreadable: UnreadableEvent | undefined;
    for (const record of records) {
      this.#skips.take(record);
      if (this.#skips.has(record)) continue;
      const event = tryDecode(record);
      if (event instanceof UnreadableEvent) {
        unreadable = event;
        break;
      }
      events.push(event);
    }
    if (events.length > 0) {
      this.#busySince = performance.now();
      await projector.take(events, ({ tick, rows, count }) => {
        this.#busySince = performance.now();
        this.#pace.took(count, this.#options.log.extent(this.#checkpoint, tick.checkpoint));
        this.#checkpoint = tick.checkpoint;
        this.#pause = firstPause;
        this.#options.bus.publish(tick, rows);
      });
    }
    this.#busySince = undefined;
    if (unreadable !== undefined) throw unreadable;
  }

  /** Renews the lease. @throws when it is lost, or the connection of the batches is */
  async #keep(lease: Lease, held: Held, worker: SilenceWatch, signal: AbortSignal): Promise<void> {
    let lost = 0;
    while (!signal.aborted) {
      await delay(renewMilliseconds, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      const renewed = await lease.renew(held);
      if (!renewed) throw new SteppedDown('another projector holds the lease');
      // The server waits for us while we wait for it: what one of the two has sent is lost.
      lost = !renewed.working && worker.silence > renewMilliseconds ? lost + 1 : 0;
      if (lost === 2) throw new Error('the connection has lost a batch or its answer');
    }
  }

  async #expire(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await delay(expiryMilliseconds, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        const count = await expirePushes(this.#options.database, signal);
        if (count > 0) this.#logger.debug({ count }, 'pushes past their time were deleted');
      } catch (error) {
        this.#logger.warn({ err: error }, 'pushes past their time could not be deleted; trying again later');
      }
    }
  }
}

/**
 * Starts a projector on a migrated database. It is there at once, and catches up by itself, also
 * where the database cannot be reached yet.
 */
export async function startProjector(options: ProjectorOptions): Promise<Projector> {
  const projector = new Projector(options);
  projector.start();
  return projector;
}
