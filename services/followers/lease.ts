import type { Client } from 'pg';
import type { ReadModelsMark } from '../log/fit.ts';
import { type Position, startOfLog } from '../log/log.ts';

/** What a follower begins with once it holds its lease. */
export interface Held extends ReadModelsMark {
  /**
   * The fencing number, which grows each time the lease is acquired. Every commit names it, so that a follower
   * that was replaced can commit nothing more (docs/architecture.md, The lease and its fence).
   */
  readonly fence: number;
  readonly batch: number;
}

/** How long a follower that no longer renews its lease is waited for, in milliseconds. */
export const leaseMs = 2_000;

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

/** Whose lease it is, and over which connections. */
export interface LeaseOptions {
  /** The follower's name: that of its rows in followers.lease and followers.checkpoint. */
  readonly name: string;
  /** Names this process's follower among those of all processes. */
  readonly holder: string;
  /** The lease is kept over it. */
  readonly client: Client;
  /** The connection that the holder commits its batches over. */
  readonly worker: Client;
}

/** The server's process behind a connection. */
async function backendOf(client: Client): Promise<Backend | undefined> {
  const { rows } = await client.query<Backend>(
    'select pid, backend_start::text as started from pg_stat_activity where pid = pg_backend_pid()',
  );
  return rows[0];
}

/**
 * Adds the rows of a follower that never worked on this database. Rows that exist are not touched: to do so would wait
 * for a batch of the holder before.
 */
async function register(client: Client, name: string): Promise<void> {
  await client.query(
    `insert into followers.lease (name, holder, fence)
     select $1, '', 0 where not exists (select from followers.lease where name = $1) on conflict do nothing`,
    [name],
  );
  await client.query(
    `insert into followers.checkpoint (name, position, batch, fence, epoch)
     select $1, '', 0, 0, '' where not exists (select from followers.checkpoint where name = $1)
     on conflict do nothing`,
    [name],
  );
}

/**
 * The right to be the one follower of its name that works, as long as it is renewed. No clock but this process's
 * own monotonic one counts.
 */
export class Lease {
  readonly #name: string;
  readonly #client: Client;
  readonly #holder: string;
  readonly #backend: Backend | undefined;
  #seen: Seen | undefined;

  private constructor({ name, client, holder }: LeaseOptions, backend: Backend | undefined) {
    this.#name = name;
    this.#client = client;
    this.#holder = holder;
    this.#backend = backend;
  }

  /** The lease of a follower, which is registered if it never worked before. @throws what `pg` throws */
  static async of(options: LeaseOptions): Promise<Lease> {
    await register(options.client, options.name);
    return new Lease(options, await backendOf(options.worker));
  }

  /**
   * Acquires the lease if nobody else holds it: its holder released it, has lost its connection, or has not
   * renewed it for `leaseMs` while this was called again and again. Its new fencing number is in the checkpoint
   * before this returns, so that nothing the holder before may still have under way commits later.
   */
  async acquire(): Promise<Held | undefined> {
    const found = await this.#read();
    if (!found.free) return undefined;
    const { rows } = await this.#client.query<{ fence: string; pid: number | null; started: string | null }>(
      `with former as (
         select backend, backend_started from followers.lease
          where name = $6 and fence = $2 and renewals = $3 for update)
       update followers.lease
          set holder = $1, fence = fence + 1, renewals = renewals + 1, backend = $4, backend_started = $5
         from former where name = $6
       returning fence, former.backend as pid, former.backend_started::text as started`,
      [this.#holder, found.fence, found.renewals, this.#backend?.pid, this.#backend?.started, this.#name],
    );
    const [acquired] = rows;
    if (!acquired) return undefined;
    await this.#end(acquired.pid, acquired.started);
    return this.#fence(acquired.fence);
  }

  /**
   * Keeps it for another `leaseMs`.
   * @returns undefined if another has acquired it; else whether the server works on a batch just now
   */
  async renew({ fence }: Held): Promise<{ readonly working: boolean } | undefined> {
    const { rows } = await this.#client.query<{ working: boolean }>(
      `update followers.lease set renewals = renewals + 1 where name = $3 and holder = $1 and fence = $2
       returning exists (
         select from pg_stat_activity a
          where a.pid = backend and a.state = 'active' and a.wait_event is distinct from 'ClientRead'
       ) as working`,
      [this.#holder, fence, this.#name],
    );
    return rows[0];
  }

  /** Lets another acquire it at once. */
  async release({ fence }: Held): Promise<void> {
    await this.#client.query(
      `update followers.lease set holder = '' where name = $3 and holder = $1 and fence = $2`,
      [this.#holder, fence, this.#name],
    );
  }

  /** Removes what a follower before recorded (services/followers/fault.ts): this one has begun to work. */
  async clearFault({ fence }: Held): Promise<void> {
    await this.#client.query(
      `update followers.checkpoint set fault = null, fault_position = null
        where name = $1 and fence = $2 and fault is not null`,
      [this.#name, fence],
    );
  }

  /** The checkpoint of the one that holds it. */
  async checkpoint(): Promise<Position> {
    const { rows } = await this.#client.query<{ position: Position }>(
      'select position from followers.checkpoint where name = $1',
      [this.#name],
    );
    return rows[0]?.position ?? startOfLog;
  }

  async #read(): Promise<{ free: boolean; fence: string; renewals: string }> {
    const { rows } = await this.#client.query<{ free: boolean; fence: string; renewals: string }>(
      `select fence, renewals, holder in ('', $1) or backend is not null and not exists (
         select from pg_stat_activity a where a.pid = backend and a.backend_start = backend_started
       ) as free from followers.lease where name = $2`,
      [this.#holder, this.#name],
    );
    const [row] = rows;
    if (!row) throw new Error(`the table followers.lease has lost its row ${this.#name}`);
    const { fence, renewals } = row;
    const now = performance.now();
    if (this.#seen?.fence !== fence || this.#seen.renewals !== renewals) {
      this.#seen = { fence, renewals, since: now };
    }
    return { free: row.free || now - this.#seen.since >= leaseMs, fence, renewals };
  }

  /**
   * Ends the connection of the holder before. When its host is lost in the middle of a batch, the server
   * waits for the rest of it, and keeps the checkpoint's row locked meanwhile.
   */
  async #end(pid: number | null, started: string | null): Promise<void> {
    await this.#client
      .query(
        `select pg_terminate_backend(pid) from pg_stat_activity
          where pid = $1 and backend_start = $2::timestamptz and pid is distinct from $3`,
        [pid, started, this.#backend?.pid],
      )
      // Another role may not end it: then the transaction's own deadline does.
      .catch(() => undefined);
  }

  /** Puts the number into the checkpoint, unless another has acquired the lease since. */
  async #fence(fence: string): Promise<Held | undefined> {
    const { rows } = await this.#client.query<Omit<Held, 'fence' | 'batch'> & { batch: string }>(
      `update followers.checkpoint set fence = $1
        where name = $2 and fence < $1
          and exists (select from followers.lease l where l.name = $2 and l.fence = $1)
       returning position, event_id as "eventId", installation, epoch, batch`,
      [fence, this.#name],
    );
    const [row] = rows;
    return row && { ...row, fence: Number(fence), batch: Number(row.batch) };
  }
}
