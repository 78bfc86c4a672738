-- The event log, for installations that keep it in Postgres. See services/log/postgres/postgres-log.ts.

create schema log;

create table log.events (
  -- 1, 2, 3 … without a gap, in the order of commit
  position bigint primary key,
  stream text collate "C" not null,
  revision bigint not null,
  id uuid not null,
  type text not null,
  data text not null,
  metadata text not null,
  recorded timestamptz not null,
  unique (stream, revision),
  -- the id first: ids mostly grow with time, so that the index does so at its end
  unique (id, stream)
);

-- Appends a batch, decides on each append by itself, and returns an outcome, a revision and a position for each, in
-- order: those of the last event stored now, or of the first event if it was already stored; after a conflict the
-- stream's last revision, -1 if the stream is empty.
--
-- The lock makes the order of positions the order of the commits, over all processes, so that a reader never meets a
-- gap that is filled later. It is acquired in a statement of its own: the statements after it see all that was committed
-- under it. The last position is read from the index, not kept in a row: under a long transaction elsewhere, each batch
-- would leave one more dead version of that row to step over.
--
-- Within a batch no id may occur twice, and appends to one stream must all expect anything. `hints` are revisions that
-- the streams have probably reached: starting there saves the index from reading back over a page of the stream's
-- entries; a wrong one costs only time. `expected` is -2 for anything, -1 for no stream yet. `numbers` says which append
-- (from 1) each event belongs to, `ranks` how many of its events follow it.
--
-- The plan is made once, and never one that scans the whole table because it was small at the time.
create function log.append(
  streams text[], hints bigint[], expected bigint[], sizes int[], first_ids uuid[],
  numbers int[], ranks int[], ids uuid[], types text[], data text[], metadata text[],
  out outcomes text[], out revisions bigint[], out positions bigint[], out recorded bigint
)
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
#variable_conflict use_column
declare
  head bigint;
  taken bigint;
  repeated boolean;
  moment timestamptz;
begin
  perform pg_advisory_xact_lock(hashtextextended('log.append', 0));
  moment := date_trunc('milliseconds', clock_timestamp());
  recorded := floor(extract(epoch from moment) * 1000);
  select coalesce(max(e.position), 0) into head from log.events e;

  -- One lookup for all ids: new ones are at the end of their index.
  repeated := exists (select from log.events e where e.id = any (ids));

  with asked as materialized (
    select a.number, a.stream, a.expected, a.size,
      coalesce((
        select e.revision from log.events e
        where e.stream = a.stream and e.revision >= a.hint order by e.revision desc limit 1
      ), (
        select e.revision from log.events e
        where e.stream = a.stream order by e.revision desc limit 1
      ), -1) as current,
      case when repeated then (
        select e.position from log.events e where e.id = a.first_id and e.stream = a.stream
      ) end as standing,
      repeated and a.size > 1 and exists (
        select from log.events e
        where e.stream = a.stream and e.id in (
          select later.id from unnest(numbers, ids) later (number, id) where later.number = a.number
        )
      ) as later_stands
    from unnest(streams collate "C", hints, expected, sizes, first_ids) with ordinality
      a (stream, hint, expected, size, first_id, number)
  ), decided as materialized (
    select number, stream, current, standing, size, verdict,
      case verdict when 'appended' then size else 0 end as stored
    from (
      select *,
        case
          when standing is not null then 'already appended'
          when not later_stands and expected in (-2, current) then 'appended'
          else 'conflict'
        end as verdict
      from asked
    ) judged
  ), placed as (
    select number, verdict, standing, stored,
      current + sum(stored) over (partition by stream order by number) as last_revision,
      head + sum(stored) over (order by number) as last_position
    from decided
  )
  select
    array_agg(verdict order by number),
    array_agg(
      case when standing is null then last_revision else (
        select e.revision from log.events e where e.position = standing
      ) end order by number
    ),
    array_agg(coalesce(standing, last_position) order by number),
    sum(stored)
  into outcomes, revisions, positions, taken
  from placed;

  if taken > 0 then
    insert into log.events (position, stream, revision, id, type, data, metadata, recorded)
    select
      positions[e.number] - e.rank, streams[e.number], revisions[e.number] - e.rank,
      e.id, e.type, e.data, e.metadata, moment
    from unnest(numbers, ranks, ids, types, data, metadata) e (number, rank, id, type, data, metadata)
    where taken = cardinality(ids) or outcomes[e.number] = 'appended';
    perform pg_notify('log', (head + taken)::text);
  end if;
end
$$;
