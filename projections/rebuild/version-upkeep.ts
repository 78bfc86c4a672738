import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { EventLog } from '../../services/log/log.ts';
import { type DatabaseConfig, openClient, type Purpose } from '../../services/postgres/connect.ts';
import { dropLeftovers } from './next-set.ts';
import { lockRebuild, rebuild } from './rebuild.ts';

const purpose: Purpose = { name: 'bubble-im rebuild check', statementTimeoutMs: 5_000 };

/** To drop large tables takes a while. */
const dropPurpose: Purpose = { ...purpose, statementTimeoutMs: 60_000 };

/** How long to wait after a failure, or while another process rebuilds. */
const againMs = 2_000;

export interface UpkeepOptions {
  readonly log: EventLog;
  readonly database: DatabaseConfig;
  readonly logger: Logger;
  /** What this program makes read models by: see `readModelsVersion`. */
  readonly version: string;
}

/** Whether the read models were made by this program, by an earlier one, or by a later one. */
type Maker = 'this' | 'earlier' | 'later';

/**
 * Names the version of read models that are empty: this program will make them.
 * @throws what `pg` throws
 */
export async function adoptEmpty({
  database,
  version,
}: Omit<UpkeepOptions, 'log' | 'logger'>): Promise<void> {
  const client = await openClient(database, purpose);
  try {
    await client.query(`update followers.checkpoint set version = $1 where name = 'read' and position = ''`, [
      version,
    ]);
  } finally {
    await client.end();
  }
}

/**
 * If the projections or their tables have changed since the read models were made, makes them again beside those that
 * are served, which are served until then (docs/architecture.md, Making the read models again). A program of an earlier
 * version that starts beside a later one, as in a rolling update, leaves the read models alone.
 */
export class VersionUpkeep {
  readonly #options: UpkeepOptions;
  readonly #logger: Logger;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(options: UpkeepOptions) {
    this.#options = options;
    this.#logger = options.logger.child({ part: 'rebuild' });
  }

  /** Begins. Called once. */
  start(): void {
    this.#running = this.#run();
  }

  /** Interrupts a rebuild that is under way: the next start goes on with it. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        if (await this.#settled()) return;
      } catch (error) {
        if (!signal.aborted) this.#logger.warn({ err: error }, 'the rebuild failed and is tried again');
      }
      await delay(againMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Whether there is nothing left to do. */
  async #settled(): Promise<boolean> {
    const maker = await this.#maker();
    if (maker === 'this') await this.#tidy();
    if (maker === 'later') {
      this.#logger.warn('the read models were made by a later version of the program, and are left alone');
    }
    if (maker !== 'earlier') return true;
    const { signal } = this.#stopping;
    // Values of rows are what people wrote: the log names tables alone.
    const rebuilt = await rebuild({ ...this.#options, maxDifferences: 1, patient: true, signal });
    if (rebuilt === 'busy' || rebuilt === 'interrupted') return false;
    const { rows, hash, counts } = rebuilt;
    this.#logger.info({ rows, hash, differentRows: counts }, 'the read models were made again');
    return true;
  }

  /** Drops what interrupted rebuilds left, unless one is under way. */
  async #tidy(): Promise<void> {
    const { database, version } = this.#options;
    const client = await openClient(database, dropPurpose);
    try {
      if (await lockRebuild(client)) await dropLeftovers(client, version);
    } finally {
      await client.end();
    }
  }

  async #maker(): Promise<Maker> {
    const { database, version } = this.#options;
    const client = await openClient(database, purpose);
    try {
      const { rows } = await client.query<{ maker: Maker }>(
        `select case when version = $1 then 'this' when $1 = any (earlier_versions) then 'later' else 'earlier' end
                as maker
           from followers.checkpoint where name = 'read'`,
        [version],
      );
      return rows[0]?.maker ?? 'this';
    } finally {
      await client.end();
    }
  }
}
