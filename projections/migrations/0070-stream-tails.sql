-- `log.append` of 0018-recorded-order, described in 0001-log. It finds a stream's last revision by the index of
-- 0070-stream-revisions. As a `case` the comparison of names keeps the planner from estimating it apart from the hashes.
create or replace function log.append(
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
  latest timestamptz;
  moment timestamptz;
begin
  perform pg_advisory_xact_lock(hashtextextended('log.append', 0));
  select e.position, e.recorded into head, latest from log.events e order by e.position desc limit 1;
  head := coalesce(head, 0);
  moment := greatest(date_trunc('milliseconds', clock_timestamp()), latest);
  recorded := floor(extract(epoch from moment) * 1000);

  -- One lookup for all ids: new ones are at the end of their index.
  repeated := exists (select from log.events e where e.id = any (ids));

  with asked as materialized (
    select a.number, a.stream, a.expected, a.size,
      coalesce((
        select e.revision from log.events e
        where hashtextextended(e.stream, 0) = hashtextextended(a.stream, 0)
          and (hashtextextended(e.stream, 1) >> 32)::integer = (hashtextextended(a.stream, 1) >> 32)::integer
          and case when e.stream = a.stream then true end and e.revision::integer >= a.hint::integer
        order by e.revision::integer desc limit 1
      ), (
        select e.revision from log.events e
        where hashtextextended(e.stream, 0) = hashtextextended(a.stream, 0)
          and (hashtextextended(e.stream, 1) >> 32)::integer = (hashtextextended(a.stream, 1) >> 32)::integer
          and case when e.stream = a.stream then true end
        order by e.revision::integer desc limit 1
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
