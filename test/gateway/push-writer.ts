import type { Pool } from 'pg';
import { afterAll, formatPosition } from '../../contracts/push/position.ts';
import type { Bus } from '../../services/bus/bus.ts';
import type { Position } from '../../services/log/log.ts';

/** A push, as a projection adds it. */
export interface Push {
  readonly channel: string;
  readonly event: string;
  readonly data: object;
}

/** One committed event. */
export interface Committed {
  /** Its position in the log. */
  readonly place: string;
  /** The position of each of its pushes, as in their data. */
  readonly positions: readonly string[];
}

/** A substitute for the projector: it commits the pushes of events, and announces them on the bus. */
export class PushWriter {
  readonly #pool: Pool;
  readonly #bus: Bus;
  readonly #epoch: string;
  #events = 0;
  #batch = 0;

  constructor(pool: Pool, bus: Bus, epoch: string) {
    this.#pool = pool;
    this.#bus = bus;
    this.#epoch = epoch;
  }

  /** The position that the next event will have. */
  get nextPlace(): string {
    return placeOf(this.#events + 1);
  }

  /** The position at the end of the log. */
  get end(): string {
    return formatPosition({ epoch: this.#epoch, place: placeOf(this.#events), number: afterAll });
  }

  /** Commits one event with its pushes; it is announced when `publish` is called. */
  async commit(pushes: readonly Push[]): Promise<{ committed: Committed; publish: () => void }> {
    this.#events += 1;
    this.#batch += 1;
    const place = placeOf(this.#events);
    const batch = this.#batch;
    const rows = pushes.map(({ channel, event, data }, number) => {
      const position = formatPosition({ epoch: this.#epoch, place, number });
      return { channel, place, number, event, data: JSON.stringify({ ...data, position }) };
    });
    await this.#pool.query(
      `with written as (
         insert into pushes.push (place, number, channel, event, data, batch)
         select $1, (row->>'number')::int, row->>'channel', row->>'event', row->>'data', $2
           from json_array_elements($3::json) as row)
       update followers.checkpoint set position = $1, batch = $2 where name = 'read'`,
      [place, batch, JSON.stringify(rows)],
    );
    const positions = rows.map(({ number }) => formatPosition({ epoch: this.#epoch, place, number }));
    const tick = { checkpoint: place as Position, fence: 1, batch };
    return { committed: { place, positions }, publish: () => this.#bus.publish(tick, rows) };
  }

  /** Loses the latest events, like a database that crashed before it wrote to its disk: they are committed again. */
  async lose(events: number): Promise<void> {
    this.#events -= events;
    await this.#pool.query(
      `with lost as (delete from pushes.push where place > $1)
       update followers.checkpoint set position = $1 where name = 'read'`,
      [placeOf(this.#events)],
    );
  }
}

function placeOf(event: number): string {
  return String(event).padStart(16, '0');
}
