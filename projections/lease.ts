import type { Client } from 'pg';
import { type Position, startOfLog } from '../services/log/log.ts';

/** What a projector begins with once it holds the lease. */
export interface Held {
  /** Its own number; no other projector ever has it. */
  readonly fence: number;
  readonly position: Position;
  readonly batch: number;
  readonly epoch: string;
}

/** How long a projector that has died is waited for. */
export const leaseMilliseconds = 2_000;

/** The right to be the one projector at work, for a time, by the database's clock. */
export class Lease {
  readonly #client: Client;
  readonly #holder: string;

  /** `holder` names this projector among all. */
  constructor(client: Client, holder: string) {
    this.#client = client;
    this.#holder = holder;
  }

  /**
   * Takes the lease where nobody else holds it. Its new fencing number goes into the checkpoint in
   * the same moment, so that nothing the one before may still have under way can commit any more.
   */
  async take(): Promise<Held | undefined> {
    const { rows } = await this.#client.query<{
      fence: string;
      position: Position;
      batch: string;
      epoch: string;
    }>(
      `with taken as (
         update read.lease
            set holder = $1, fence = fence + 1, expires = clock_timestamp() + $2 * interval '1 millisecond'
          where name = 'read' and (holder = $1 or expires < clock_timestamp())
          returning fence)
       update read.checkpoint set fence = taken.fence from taken where name = 'read'
       returning checkpoint.position, checkpoint.batch, checkpoint.fence, checkpoint.epoch`,
      [this.#holder, leaseMilliseconds],
    );
    const [row] = rows;
    return row && { ...row, fence: Number(row.fence), batch: Number(row.batch) };
  }

  /** Holds on to it for another while; false where another has taken it. */
  async renew({ fence }: Held): Promise<boolean> {
    const { rowCount } = await this.#client.query(
      `update read.lease set expires = clock_timestamp() + $3 * interval '1 millisecond'
        where name = 'read' and holder = $1 and fence = $2`,
      [this.#holder, fence, leaseMilliseconds],
    );
    return rowCount === 1;
  }

  /** Lets another take it at once. */
  async release({ fence }: Held): Promise<void> {
    await this.#client.query(
      `update read.lease set expires = '-infinity' where name = 'read' and holder = $1 and fence = $2`,
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
}
