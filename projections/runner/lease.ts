import type { Client } from 'pg';
import type { ReadModelsMark } from '../../services/log/fit.ts';
import { type Position, startOfLog } from '../../services/log/log.ts';

/** What a projector begins with once it holds the lease. */
export interface Held extends ReadModelsMark {
  /**
   * The fencing number, which grows with each projector that takes the lease. Every commit names it, so that a
   * projector that was replaced can commit nothing more (docs/architecture.md, The lease and its fence).
   */
  readonly fence: number;
  readonly batch: number;
  /** Events up to this position push nothing: they did so before the read models were emptied. */
  readonly quietUntil: Position;
}

/** How long a projector that no longer renews its lease is waited for. */
export const leaseMilliseconds = 2_000;

/** A connection as the server knows it: process ids alone are used again. */
interface Backend {
  readonly pid: number;
  /** When it began, as the server writes it. */
  readonly started: string;
}

/** The lease as a standby saw it. */
interface Seen {
  readonly fence: string;
  readonly renewals: string;
  /** Since when it has not changed, on the clock of `performance.now()`. */
  readonly since: number;
}

/** The server's process behind a connection. */
async function backendOf(client: Client): Promise<Backend | undefined> {
  const { rows } = await client.query<Backend>(
    'select pid, backend_start::text as started from pg_stat_activity where pid = pg_backend_pid()',
  );
  return rows[0];
}

/**
 * The right to be the one projector at work, as long as it is renewed. No clock but this process's own
 * monotonic one counts.
 */
export class Lease {
  readonly #client: Client;
  readonly #holder: string;
  readonly #backend: Backend | undefined;
  #seen: Seen | undefined;

  private constructor(client: Client, holder: string, backend: Backend | undefined) {
    this.#client = client;
    this.#holder = holder;
    this.#backend = backend;
  }

  /**
   * @param client the lease is kept over it
   * @param worker the connection that the holder writes the read models over
   * @param holder names this projector among all
   */
  static async over(client: Client, worker: Client, holder: string): Promise<Lease> {
    return new Lease(client, holder, await backendOf(worker));
  }

  /**
   * Takes the lease if nobody else holds it: its holder let go of it, has lost its connection, or has not
   * renewed it for `leaseMilliseconds` while this was called again and again. Its new fencing number is in
   * the checkpoint before this returns, so that nothing the one before may still have under way commits later.
   */
  async take(): Promise<Held | undefined> {
    const found = await this.#look();
    if (!found.free) return undefined;
    const { rows } = await this.#client.query<{ fence: string; pid: number | null; started: string | null }>(
      `with former as (
         select backend, backend_started from read.lease
          where name = 'read' and fence = $2 and renewals = $3 for update)
       update read.lease
          set holder = $1, fence = fence + 1, renewals = renewals + 1, backend = $4, backend_started = $5
         from former where name = 'read'
       returning fence, former.backend as pid, former.backend_started::text as started`,
      [this.#holder, found.fence, found.renewals, this.#backend?.pid, this.#backend?.started],
    );
    const [taken] = rows;
    if (!taken) return undefined;
    await this.#end(taken.pid, taken.started);
    return this.#fence(taken.fence);
  }

  /**
   * Holds on to it for another while.
   * @returns undefined if another has taken it; else whether the server works on a batch just now
   */
  async renew({ fence }: Held): Promise<{ readonly working: boolean } | undefined> {
    const { rows } = await this.#client.query<{ working: boolean }>(
      `update read.lease set renewals = renewals + 1 where name = 'read' and holder = $1 and fence = $2
       returning exists (
         select from pg_stat_activity a
          where a.pid = backend and a.state = 'active' and a.wait_event is distinct from 'ClientRead'
       ) as working`,
      [this.#holder, fence],
    );
    return rows[0];
  }

  /** Lets another take it at once. */
  async release({ fence }: Held): Promise<void> {
    await this.#client.query(
      `update read.lease set holder = '' where name = 'read' and holder = $1 and fence = $2`,
      [this.#holder, fence],
    );
  }

  /** Up to where whoever holds it has come. */
  async checkpoint(): Promise<Position> {
    const { rows } = await this.#client.query<{ position: Position }>(
      `select position from read.checkpoint where name = 'read'`,
    );
    return rows[0]?.position ?? startOfLog;
  }

  async #look(): Promise<{ free: boolean; fence: string; renewals: string }> {
    const { rows } = await this.#client.query<{ free: boolean; fence: string; renewals: string }>(
      `select fence, renewals, holder in ('', $1) or backend is not null and not exists (
         select from pg_stat_activity a where a.pid = backend and a.backend_start = backend_started
       ) as free from read.lease where name = 'read'`,
      [this.#holder],
    );
    const [row] = rows;
    if (!row) throw new Error('the table read.lease has lost its row');
    const { fence, renewals } = row;
    const now = performance.now();
    if (this.#seen?.fence !== fence || this.#seen.renewals !== renewals) {
      this.#seen = { fence, renewals, since: now };
    }
    return { free: row.free || now - this.#seen.since >= leaseMilliseconds, fence, renewals };
  }

  /**
   * Ends the connection of the one before. When its host is lost in the middle of a batch, the server
   * waits for the rest of it, and keeps the checkpoint's row locked meanwhile.
   */
  async #end(pid: number | null, started: string | null): Promise<void> {
    await this.#client
      .query(
        `select pg_terminate_backend(pid) from pg_stat_activity
          where pid = $1 and backend_start = $2::timestamptz and pid is distinct from $3`,
        [pid, started, this.#backend?.pid],
      )
      // As another role it may not: then the transaction's own deadline ends it.
      .catch(() => undefined);
  }

  /** Puts the number into the checkpoint, unless another has taken the lease since. */
  async #fence(fence: string): Promise<Held | undefined> {
    const { rows } = await this.#client.query<Omit<Held, 'fence' | 'batch'> & { batch: string }>(
      `update read.checkpoint set fence = $1
        where name = 'read' and fence < $1
          and exists (select from read.lease l where l.name = 'read' and l.fence = $1)
       returning position, event_id as "eventId", installation, epoch, quiet_until as "quietUntil", batch`,
      [fence],
    );
    const [row] = rows;
    return row && { ...row, fence: Number(fence), batch: Number(row.batch) };
  }
}
