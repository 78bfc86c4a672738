import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { queryPrepared } from '../../postgres/prepared.ts';
import { type EventId, LogFailure, type RecordedEvent, type StreamName } from '../log.ts';
import { parseStored } from '../stored-json.ts';
import { positionOf } from './position.ts';

/** A page holds at most so many events, and no more bytes than this unless one event alone does. */
const pageEvents = 500;
const pageBytes = 4_000_000;

/** How much of the log a query passes over in search of certain streams. */
const stride = 20_000;

/** How often a read is tried again on a connection that proves dead, and for how long together. */
const retryMilliseconds = 2_000;

interface StoredRow {
  readonly position: string | number;
  readonly stream: StreamName;
  readonly revision: string | number;
  readonly id: EventId;
  readonly type: string;
  readonly data: string;
  readonly metadata: string;
  readonly recorded: string | number;
  /** How many the page would have without the bound on bytes. */
  readonly found: string | number;
}

/** Some events in order, and whether there may be more behind them. */
export interface Page {
  readonly records: RecordedEvent[];
  readonly more: boolean;
}

const columns = 'position, stream, revision, id, type, data, metadata, recorded';

const page = (condition: string, order: string) => `
  select position, stream, revision, id, type, data, metadata,
    floor(extract(epoch from recorded) * 1000)::bigint as recorded, found
  from (
    select ${columns}, count(*) over () as found,
      sum(octet_length(data) + octet_length(metadata)) over (
        order by ${order} rows between unbounded preceding and current row
      ) as bytes,
      row_number() over (order by ${order}) as number
    from (select ${columns} from log.events where ${condition} order by ${order} limit $1) chosen
  ) page
  where bytes <= ${pageBytes} or number = 1
  order by number`;

const texts = {
  'log all': page('position > $2 and position <= $3', 'position'),
  'log prefixes': page('position > $2 and position <= $3 and stream ^@ any($4::text[])', 'position'),
  'log stream forwards': page('stream = $2 and revision >= $3', 'revision'),
  'log stream backwards': page('stream = $2 and revision <= $3', 'revision desc'),
};

/** Reads the log in pages over a few connections. Everything throws LogFailure where it cannot. */
export class Reading {
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  /** The last place taken, or the last of streams whose names begin with one of the prefixes. */
  async end(prefixes?: readonly string[]): Promise<number> {
    const condition = prefixes ? 'stream ^@ any($1::text[])' : 'true';
    const text = `select position from log.events where ${condition} order by position desc limit 1`;
    const { rows } = await this.#query<{ position: string | number }>(text, prefixes ? [prefixes] : []);
    return Number(rows[0]?.position ?? 0);
  }

  /** Events of all streams, or those of certain prefixes, in (after, upTo], and how far that reaches. */
  async all(
    after: number,
    upTo: number,
    prefixes: readonly string[] | undefined,
    limit = pageEvents,
  ): Promise<{ records: RecordedEvent[]; reached: number }> {
    const until = prefixes ? Math.min(upTo, after + stride) : upTo;
    const { records, more } = await this.#page(
      prefixes ? 'log prefixes' : 'log all',
      limit,
      prefixes ? [after, until, prefixes] : [after, until],
    );
    const last = records.at(-1);
    return { records, reached: more && last ? Number(last.position) : until };
  }

  /** Events of one stream from a revision on, itself included. */
  stream(
    stream: StreamName,
    direction: 'forwards' | 'backwards',
    from: number,
    limit: number,
  ): Promise<Page> {
    return this.#page(`log stream ${direction}`, limit, [stream, from]);
  }

  async #page(name: keyof typeof texts, limit: number, values: unknown[]): Promise<Page> {
    const most = Math.min(limit, pageEvents);
    const { rows } = await this.#query<StoredRow>(texts[name], [most, ...values]);
    const found = Number(rows[0]?.found ?? 0);
    return { records: rows.map(recordOf), more: rows.length < found || found === most };
  }

  async #query<R extends pg.QueryResultRow>(text: string, values: unknown[]): Promise<pg.QueryResult<R>> {
    const until = performance.now() + retryMilliseconds;
    for (let pause = 20; ; pause *= 2) {
      try {
        return await queryPrepared<R>(this.#pool, text, values);
      } catch (error) {
        // A connection that died while idle shows only when it is used, and reading again is harmless.
        const refused = error instanceof pg.DatabaseError && error.severity === 'ERROR';
        if (refused || this.#pool.ending || performance.now() + pause > until) {
          throw new LogFailure('unavailable', 'the log cannot be read', { cause: error });
        }
        await delay(pause);
      }
    }
  }
}

function recordOf(row: StoredRow): RecordedEvent {
  return {
    stream: row.stream,
    revision: Number(row.revision),
    position: positionOf(Number(row.position)),
    id: row.id,
    type: row.type,
    data: parseStored(row.data),
    metadata: parseStored(row.metadata),
    recorded: Number(row.recorded),
    raw: { data: row.data, metadata: row.metadata },
  };
}
