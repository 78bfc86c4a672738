import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { queryPrepared } from '../../postgres/prepared-queries.ts';
import { type EventId, LogFailure, type RecordedEvent, type StreamName } from '../log.ts';
import type { Page, PageStart } from '../merged-pages.ts';
import { withOriginalTime } from '../original-time.ts';
import { parseStored } from '../stored-json.ts';
import { positionOf } from './position.ts';

/** Bounds of a page: it ends with the event by which it reaches `maxPageBytes`. */
const maxPageEvents = 500;
const maxPageBytes = 4_000_000;

/** How many event numbers a query for certain prefixes scans, so that it ends within its deadline. */
const maxScannedEvents = 20_000;

/** The greatest revision that the index of revisions can have; `log.append` refuses what would be beyond it. */
export const maxRevision = 2_147_483_647;

/** For how long a read is retried when its connection proves broken. */
const retryTimeoutMs = 2_000;

interface StoredRow {
  readonly position: string | number;
  readonly stream: StreamName;
  readonly revision: string | number;
  readonly id: EventId;
  readonly type: string;
  readonly data: string;
  readonly metadata: string;
  readonly recorded: string | number;
  /** How many bytes the page has up to this row, its own included. */
  readonly bytes: string | number;
}

const columns = 'position, stream, revision, id, type, data, metadata, recorded';

/**
 * A page in the order of `rank`, an expression that an index has.
 * One window function: each further one, or another window, costs as much again as reading the rows does.
 */
const page = (
  condition: string,
  rank: string,
  order: 'asc' | 'desc' = 'asc',
  maxBytes = `${maxPageBytes}`,
) => `
  select position, stream, revision, id, type, data, metadata,
    floor(extract(epoch from recorded) * 1000)::bigint as recorded, bytes
  from (
    select ${columns}, rank, octet_length(data) + octet_length(metadata) as own,
      sum(octet_length(data) + octet_length(metadata)) over (
        order by rank ${order} rows between unbounded preceding and current row
      ) as bytes
    from (
      select ${columns}, ${rank} as rank from log.events where ${condition} order by ${rank} ${order} limit $1
    ) chosen
  ) page
  where bytes - own < ${maxBytes}
  order by rank ${order}`;

/**
 * A page of a stream from a revision on. The index has hashes of the name, and revisions of four bytes. What compares the
 * name itself is a `case`: else the planner would estimate that few rows are left, and sort all of the stream.
 */
export function pageOfStream(
  stream: string,
  from: string,
  direction: 'forwards' | 'backwards',
  maxBytes?: string,
): string {
  const beyond = direction === 'forwards' ? '>=' : '<=';
  const given = `${stream}::text collate "C"`;
  return page(
    `hashtextextended(stream, 0) = hashtextextended(${given}, 0)
      and (hashtextextended(stream, 1) >> 32)::integer = (hashtextextended(${given}, 1) >> 32)::integer
      and revision::integer ${beyond} least(${from}, ${maxRevision})::integer
      and case when stream = ${given} and revision ${beyond} ${from} then true end`,
    'revision::integer',
    direction === 'forwards' ? 'asc' : 'desc',
    maxBytes,
  );
}

/** A page of each stream, as many events of each and as many bytes as the parameters say. */
const pages = (direction: 'forwards' | 'backwards') => `
  select asked.number as asked, page.*
  from unnest($2::text[] collate "C", $3::bigint[]) with ordinality asked (stream, start, number)
  cross join lateral (${pageOfStream('asked.stream', 'asked.start', direction, '$4')}) page`;

const queries = {
  'log all': page('position > $2 and position <= $3', 'position'),
  'log prefixes': page('position > $2 and position <= $3 and stream ^@ any($4::text[])', 'position'),
  'log stream forwards': pageOfStream('$2', '$3::bigint', 'forwards'),
  'log stream backwards': pageOfStream('$2', '$3::bigint', 'backwards'),
  'log streams forwards': pages('forwards'),
  'log streams backwards': pages('backwards'),
};

/** Reads the log in pages over a pool. Every method throws LogFailure if the log cannot be read. */
export class LogReader {
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  /** The number of the last event: of all, or of streams whose names begin with one of the prefixes. */
  async end(prefixes?: readonly string[]): Promise<number> {
    const condition = prefixes ? 'stream ^@ any($1::text[])' : 'true';
    const text = `select position from log.events where ${condition} order by position desc limit 1`;
    const { rows } = await this.#query<{ position: string | number }>(text, prefixes ? [prefixes] : []);
    return Number(rows[0]?.position ?? 0);
  }

  /**
   * Events with numbers in (after, upTo], of all streams or those with certain prefixes.
   * @returns `reached`: up to which number there are no others
   */
  async all(
    after: number,
    upTo: number,
    prefixes: readonly string[] | undefined,
    limit = maxPageEvents,
  ): Promise<{ records: readonly RecordedEvent[]; reached: number }> {
    const until = prefixes ? Math.min(upTo, after + maxScannedEvents) : upTo;
    const { records, more } = await this.#page(
      prefixes ? 'log prefixes' : 'log all',
      limit,
      prefixes ? [after, until, prefixes] : [after, until],
    );
    const last = records.at(-1);
    if (last) return { records, reached: more ? Number(last.position) : until };
    return { records, reached: until < upTo ? await this.#endOfGap(until, upTo) : until };
  }

  /** Up to which number there are no events after one: else an event that was put far behind the others were never reached. */
  async #endOfGap(after: number, upTo: number): Promise<number> {
    const text = 'select position from log.events where position > $1 order by position limit 1';
    const { rows } = await this.#query<{ position: string | number }>(text, [after]);
    return Math.min(upTo, Number(rows[0]?.position ?? upTo + 1) - 1);
  }

  /** Events of one stream from a revision on, inclusive. */
  stream(
    stream: StreamName,
    direction: 'forwards' | 'backwards',
    from: number,
    limit: number,
  ): Promise<Page> {
    return this.#page(`log stream ${direction}`, limit, [stream, from]);
  }

  /** A page of each stream, in the order asked. The bytes of all of them together are bounded as those of one page are. */
  async streams(
    starts: readonly PageStart[],
    direction: 'forwards' | 'backwards',
    maxEvents: number,
  ): Promise<Page[]> {
    const maxBytes = Math.floor(maxPageBytes / starts.length);
    const first = direction === 'forwards' ? 0 : Number.MAX_SAFE_INTEGER;
    const { rows } = await this.#query<StoredRow & { readonly asked: string | number }>(
      queries[`log streams ${direction}`],
      [maxEvents, starts.map(({ stream }) => stream), starts.map(({ from }) => from ?? first), maxBytes],
    );
    const found = Map.groupBy(rows, ({ asked }) => Number(asked));
    return starts.map((_, index) => pageOf(found.get(index + 1) ?? [], maxEvents, maxBytes));
  }

  async #page(name: keyof typeof queries, limit: number, values: unknown[]): Promise<Page> {
    const maxEvents = Math.min(limit, maxPageEvents);
    const { rows } = await this.#query<StoredRow>(queries[name], [maxEvents, ...values]);
    return pageOf(rows, maxEvents);
  }

  async #query<R extends pg.QueryResultRow>(text: string, values: unknown[]): Promise<pg.QueryResult<R>> {
    const until = performance.now() + retryTimeoutMs;
    for (let pauseMs = 20; ; pauseMs *= 2) {
      try {
        return await queryPrepared<R>(this.#pool, text, values);
      } catch (error) {
        // A connection that broke while it was idle fails only when it is used, and reading again is harmless.
        const refused = error instanceof pg.DatabaseError && error.severity === 'ERROR';
        if (refused || this.#pool.ending || performance.now() + pauseMs > until) {
          throw new LogFailure('unavailable', 'the log cannot be read', { cause: error });
        }
        await delay(pauseMs);
      }
    }
  }
}

function pageOf(rows: readonly StoredRow[], maxEvents: number, maxBytes = maxPageBytes): Page {
  const bytes = Number(rows.at(-1)?.bytes ?? 0);
  return { records: rows.map(recordOf), more: rows.length === maxEvents || bytes >= maxBytes, bytes };
}

function recordOf(row: StoredRow): RecordedEvent {
  return withOriginalTime({
    stream: row.stream,
    revision: Number(row.revision),
    position: positionOf(Number(row.position)),
    id: row.id,
    type: row.type,
    data: parseStored(row.data),
    metadata: parseStored(row.metadata),
    recorded: Number(row.recorded),
    raw: { data: row.data, metadata: row.metadata },
  });
}
