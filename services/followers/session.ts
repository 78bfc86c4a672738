import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import type { Logger } from 'pino';
import type { EventLog } from '../log/log.ts';
import { type DatabaseConfig, openClient, type Purpose } from '../postgres/connect.ts';
import type { SilenceWatch } from '../postgres/silence.ts';
import { isOvertaken } from './checkpoint.ts';
import { Connections } from './connections.ts';
import { type Held, Lease, leaseMs } from './lease.ts';
import { matchLog } from './log-match.ts';
import type { FollowerProgress } from './progress.ts';
import type { Task } from './task.ts';

const renewEveryMs = leaseMs / 4;
const standbyEveryMs = leaseMs / 8;
/** How long a batch under way may take when the follower is asked to stop. */
const stopMs = 5_000;

/** Another process has gone on from the checkpoint, or holds the lease now. */
export class SteppedDown extends Error {
  override readonly name = 'SteppedDown';
}

export interface SessionOptions {
  readonly task: Task;
  readonly log: EventLog;
  /** Where its lease, its checkpoint and its tables are. */
  readonly database: DatabaseConfig;
  readonly logger: Logger;
  /** Names this process's follower among those of all processes. */
  readonly holder: string;
  readonly progress: FollowerProgress;
  /** Asks it to finish its batch and to release the lease. */
  readonly stopping: AbortSignal;
}

interface Work {
  readonly connections: Connections;
  /** The connection that batches are committed over. */
  readonly worker: Client;
  readonly watch: SilenceWatch;
  readonly lease: Lease;
  readonly held: Held;
  readonly signal: AbortSignal;
  /** Ends the session with an error. */
  readonly fail: (error: unknown) => void;
}

/** One life of a follower's connections: stands by, then works, until it is stopped or something fails. */
export class Session {
  readonly #options: SessionOptions;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /**
   * @throws SteppedDown; what the handler, the log or the database throws; of several errors the first, because
   *   the others follow from it
   */
  async run(): Promise<void> {
    const { database, progress, stopping, task } = this.#options;
    progress.beginning();
    const ending = new AbortController();
    const { signal } = ending;
    let failure: unknown;
    const fail = (error: unknown) => {
      if (signal.aborted) return;
      failure = error;
      ending.abort();
      connections.cut(error);
    };
    const connections = new Connections(database, fail);
    let late: NodeJS.Timeout | undefined;
    const stop = () => {
      ending.abort();
      late = setTimeout(() => connections.cut(new Error('the database did not answer in time')), stopMs);
    };
    stopping.addEventListener('abort', stop, { once: true });
    try {
      const { client: keeper } = await connections.open(leasePurpose(task));
      const { client: worker, watch } = await connections.open(task.session);
      const { holder } = this.#options;
      const lease = await Lease.of({ name: task.name, holder, client: keeper, worker });
      const held = await this.#standBy(lease, signal);
      if (held) await this.#work({ connections, worker, watch, lease, held, signal, fail });
      ending.abort();
    } catch (error) {
      failure ??= error;
    } finally {
      ending.abort();
      progress.active = false;
      stopping.removeEventListener('abort', stop);
      await connections.end();
      clearTimeout(late);
    }
    if (failure !== undefined) throw failure;
  }

  /** Waits until nobody else holds the lease. */
  async #standBy(lease: Lease, signal: AbortSignal): Promise<Held | undefined> {
    const { progress } = this.#options;
    while (!signal.aborted) {
      const held = await lease.acquire();
      if (held) return held;
      progress.idle();
      progress.checkpoint = await lease.checkpoint();
      await delay(standbyEveryMs, undefined, { signal }).catch(() => undefined);
    }
    return undefined;
  }

  async #work({ connections, worker, watch, lease, held: acquired, signal, fail }: Work): Promise<void> {
    const { log, logger, progress, task } = this.#options;
    const ending = new AbortController();
    const ended = AbortSignal.any([signal, ending.signal]);
    const besides = [this.#keep(lease, acquired, watch, ended).catch(fail)];
    try {
      const held = await this.#match(acquired);
      const connect = async () => (await connections.open(task.session)).client;
      const handler = await task.begin({ client: worker, connect, held });
      if (handler.beside) besides.push(handler.beside(ended));
      await lease.clearFault(held);
      progress.fault = undefined;
      progress.checkpoint = held.position;
      progress.active = true;
      progress.idle();
      logger.info({ fence: held.fence, checkpoint: held.position }, `this ${task.part} works`);
      const options = { after: held.position, prefixes: task.prefixes, signal: ended };
      for await (const records of log.subscribe(options)) {
        progress.busy();
        const begun = performance.now();
        await handler.apply(records, (checkpoint, events) => {
          progress.committed(checkpoint, events, log.extent(progress.checkpoint, checkpoint));
        });
        progress.idle();
        const restMs = (await handler.restMs?.(performance.now() - begun)) ?? 0;
        if (restMs > 0) await delay(restMs, undefined, { signal: ended }).catch(() => undefined);
      }
    } catch (error) {
      throw isOvertaken(error) ? new SteppedDown(`another ${task.part} has gone on`) : error;
    } finally {
      ending.abort();
      await Promise.all(besides);
      await lease.release(acquired).catch(() => undefined);
    }
  }

  /** Makes the tables fit the log. @throws StrangeLog if they are another installation's */
  async #match(held: Held): Promise<Held> {
    const { database, log, logger, task } = this.#options;
    const client = await openClient(database, matchPurpose(task));
    try {
      const reset = task.reset.bind(task);
      return await matchLog({ log, client, name: task.name, held, reset, logger });
    } finally {
      await client.end();
    }
  }

  /** Renews the lease. @throws when it is lost, or the connection of the batches is */
  async #keep(lease: Lease, held: Held, worker: SilenceWatch, signal: AbortSignal): Promise<void> {
    const { part } = this.#options.task;
    let lost = 0;
    while (!signal.aborted) {
      await delay(renewEveryMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      const renewed = await lease.renew(held);
      if (!renewed) throw new SteppedDown(`another ${part} holds the lease`);
      // The server waits for us while we wait for it: what one of the two has sent is lost.
      lost = !renewed.working && worker.silentMs > renewEveryMs ? lost + 1 : 0;
      if (lost === 2) throw new Error('the connection has lost a batch or its answer');
    }
  }
}

/** Tables are emptied within a minute, once nobody reads them. */
function matchPurpose({ part }: Task): Purpose {
  return { name: `bubble-im ${part} match`, statementTimeoutMs: 60_000 };
}

/** To renew the lease is one small write. */
function leasePurpose({ part }: Task): Purpose {
  return { name: `bubble-im ${part} lease`, statementTimeoutMs: 2_000 };
}
