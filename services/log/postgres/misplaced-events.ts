import type pg from 'pg';
import { type DatabaseConfig, openClient, type Purpose } from '../../postgres/connect.ts';
import { LogFailure, type MisplacedEvent, type Misplacement } from '../log.ts';

/**
 * Reading all rows of a long log, and sorting them by streams, takes minutes. It takes one processor, as others are needed by
 * who reads the log meanwhile.
 */
const purpose: Purpose = {
  name: 'bubble-im log places',
  statementTimeoutMs: 3_600_000,
  settings: {
    ...{ work_mem: '64MB', max_parallel_workers_per_gather: '0' },
    // Else a statement whose client has gone would go on to its end.
    client_connection_check_interval: '1000',
  },
};

/** How many events are named of each kind; what follows from one often makes thousands. */
const maxOfKind = 100;

const columns = 'position, stream, revision, type';

/** What no read of the whole log gives, since it begins behind position 0 and counts in doubles. */
const beyondReads = `select ${columns} from log.events
  where position < 1 or position > ${Number.MAX_SAFE_INTEGER} order by position limit ${maxOfKind}`;

/** What Postgres itself sees to, while its constraints are there, and whether the positions are 1, 2, 3 … without a gap. */
const assurances = `
  with keys as (
    select array(
      select a.attname::text from unnest(i.indkey::int2[]) key (number)
        join pg_attribute a on a.attrelid = i.indrelid and a.attnum = key.number order by a.attname
    ) as columns
    from pg_index i
    where i.indrelid = 'log.events'::regclass
      and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null
  ), whole as (
    -- Rows of a table that inherits from this one are read with its own, but its keys do not hold for them.
    select not exists (select from pg_inherits where inhparent = 'log.events'::regclass) as whole
  )
  select
    whole and exists (select from keys where columns = '{position}')
      and (select count(*) = coalesce(max(position), 0) and coalesce(min(position), 1) = 1 from log.events) as positions,
    whole and exists (select from keys where columns = '{id,stream}') as ids,
    whole and not exists (
      select from pg_attribute
        where attrelid = 'log.events'::regclass and attnum > 0 and not attisdropped and not attnotnull
    ) as values
  from whole`;

/** Each names events by comparing each row with the one before it in some order. */
const comparisons = {
  positions: `
    select ${columns},
      case when position = before then 'position repeated' else 'positions missing' end as misplacement
    from (
      select ${columns}, greatest(lag(position, 1, 0::bigint) over (order by position), 0) as before from log.events
    ) e
    where position >= 1 and position <> before + 1
    order by position limit ${maxOfKind}`,
  // By a hash of which there is no index: an index that has the order would be read with all its rows, one by one. What is sorted
  // is narrow, so that a million rows fit into memory.
  revisions: `
    select e.position, e.stream, e.revision, e.type, 'revision out of order' as misplacement
    from (
      select place, owner from (
        select position, ctid as place, tableoid as owner,
          revision - lag(revision, 1, -1::bigint) over in_stream as step,
          position > lag(position, 1, 0::bigint) over in_stream as later
        from log.events where num_nulls(position, stream, revision) = 0
        window in_stream as (partition by hashtextextended(stream, 2), stream order by revision)
      ) all_events
      where step <> 1 or not later
      order by position limit ${maxOfKind}
    ) found join log.events e on e.ctid = found.place and e.tableoid = found.owner
    order by e.position`,
  ids: `
    select ${columns}, 'id repeated' as misplacement
    from (
      select ${columns}, row_number() over (partition by id, stream order by position) as number from log.events
    ) e
    where number > 1
    order by position limit ${maxOfKind}`,
  values: `
    select ${columns}, 'value missing' as misplacement
    from log.events
    where num_nulls(position, stream, revision, id, type, data, metadata, recorded) > 0
    order by position limit ${maxOfKind}`,
};

interface Row {
  readonly position: string | null;
  readonly stream: string | null;
  readonly revision: string | null;
  readonly type: string | null;
}

type Queries = Pick<pg.Client, 'query'>;

/** Events that no read of the whole log gives, by the index of positions. @throws LogFailure */
export async function* eventsBeyondReads(database: Queries): AsyncGenerator<MisplacedEvent, void, undefined> {
  yield* await beyondReadsOf(database).catch(throwUnreadable);
}

/**
 * All events that lie where no append puts one; of each kind the first ones. It reads every row of the log over a connection
 * of its own, and takes some 1.5 s of the server's processor time for a million of them.
 * @throws LogFailure; the signal's reason
 */
export async function* misplacedEvents(
  config: DatabaseConfig,
  signal: AbortSignal | undefined,
): AsyncGenerator<MisplacedEvent, void, undefined> {
  const client = await openClient(config, purpose).catch(throwUnreadable);
  const end = () => void client.end();
  signal?.addEventListener('abort', end);
  try {
    signal?.throwIfAborted();
    yield* foundOver(client);
  } catch (error) {
    signal?.throwIfAborted();
    throwUnreadable(error);
  } finally {
    signal?.removeEventListener('abort', end);
    await client.end();
  }
}

function throwUnreadable(cause: unknown): never {
  throw new LogFailure('unavailable', 'the places of events cannot be read', { cause });
}

async function beyondReadsOf(database: Queries): Promise<MisplacedEvent[]> {
  const { rows } = await database.query<Row>(beyondReads);
  return rows.map((row) => misplaced(row, 'beyond reads'));
}

async function* foundOver(client: pg.Client): AsyncGenerator<MisplacedEvent, void, undefined> {
  const named = new Set<string>();
  const keyOf = ({ position, stream, revision }: MisplacedEvent) => `${position} ${revision} ${stream}`;
  for (const event of await beyondReadsOf(client)) {
    named.add(keyOf(event));
    yield event;
  }
  const { rows: assured } = await client.query<Record<'positions' | 'ids' | 'values', boolean>>(assurances);
  for (const what of ['values', 'positions', 'ids', 'revisions'] as const) {
    if (what !== 'revisions' && assured[0]?.[what]) continue;
    const { rows } = await client.query<Row & { readonly misplacement: Misplacement }>(comparisons[what]);
    for (const row of rows) {
      const event = misplaced(row, row.misplacement);
      if (named.has(keyOf(event))) continue;
      named.add(keyOf(event));
      yield event;
    }
  }
}

function misplaced({ position, stream, revision, type }: Row, misplacement: Misplacement): MisplacedEvent {
  const shown = (value: string | null) => (value === null ? undefined : String(value));
  return {
    ...{ position: shown(position), stream: shown(stream), revision: shown(revision), type: shown(type) },
    misplacement,
  };
}
