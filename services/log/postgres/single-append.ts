import type { Row, Statement } from '../../postgres/pipeline.ts';
import type { PreparedEvent } from '../append-request.ts';
import { anyRevision, type Committed, type PendingAppend } from './batch.ts';
import { positionOf } from './position.ts';

/** As `log.append` begins (migration 0001): the statement after it sees all that was committed under the lock. */
const lock: Statement = {
  name: 'log lock',
  text: `select pg_advisory_xact_lock(hashtextextended('log.append', 0))`,
  values: [],
};

/** A hint of 0 rules nothing out; if no event is at a greater one, the hint was wrong. */
const insertion = `
  insert into log.events (position, stream, revision, id, type, data, metadata, recorded)
  select coalesce(head.position, 0) + 1, $1, coalesce(latest.revision, -1) + 1, $4, $5, $6, $7,
    greatest(date_trunc('milliseconds', clock_timestamp()), head.recorded)
  from (values (0)) always left join (
    select e.position, e.recorded from log.events e order by e.position desc limit 1
  ) head on true left join (
    select e.revision from log.events e
    where hashtextextended(e.stream, 0) = hashtextextended($1::text, 0)
      and (hashtextextended(e.stream, 1) >> 32)::integer = (hashtextextended($1::text, 1) >> 32)::integer
      and case when e.stream = $1 then true end and e.revision::integer >= $2::integer
    order by e.revision::integer desc limit 1
  ) latest on true
  where (latest.revision is not null or $2 = 0)
    and $3::bigint in (${anyRevision}, coalesce(latest.revision, -1))
    and not exists (select from log.events e where e.id = $4)
  returning position, revision, floor(extract(epoch from recorded) * 1000) as recorded,
    pg_notify('log', position::text)`;

/** An append of one event. */
export interface SingleAppend {
  readonly append: PendingAppend;
  readonly event: PreparedEvent;
}

/** The one event of a batch, as most batches have if few people write at once; undefined if it has more. */
export function singleOf(batch: readonly PendingAppend[]): SingleAppend | undefined {
  const [append, nextAppend] = batch;
  const [event, nextEvent] = append?.events ?? [];
  if (append === undefined || event === undefined) return undefined;
  return nextAppend === undefined && nextEvent === undefined ? { append, event } : undefined;
}

/**
 * The statements that append one event as `log.append` does, in half of its processor time. They store nothing, and give
 * no row, if an event has the id already, if the stream is not at the expected revision or if the hint is wrong: what is
 * so, and what follows from it, `log.append` decides.
 * @param hint a revision that the stream has probably reached
 */
export function singleAppendStatements({ append, event }: SingleAppend, hint: number): Statement[] {
  const { stream, expected } = append;
  const { id, type, data, metadata } = event;
  const values = [stream, hint, expected, id, type, data, metadata];
  return [lock, { name: 'log append single', text: insertion, values }];
}

/** What the statements have stored. @param row what the last one gave */
export function singleCommitted({ append }: SingleAppend, row: Row): Committed {
  const eventNumber = Number(row.position);
  const position = positionOf(eventNumber);
  const result = { outcome: 'appended', revision: Number(row.revision), position } as const;
  return { append, result, eventNumber, recorded: Number(row.recorded) };
}
