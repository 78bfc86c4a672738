-- The index of the log (services/audit/index/): one row for each event, in the order of the log. It can be emptied and
-- made again at any time.

create schema audit;

create table audit.events (
  -- 0, 1, 2 … in the order of the log; of events of one stream with the same id, only the first is counted
  number bigint primary key,
  -- milliseconds since 1970
  recorded bigint not null,
  revision bigint not null,
  acted_for bigint,
  mid bigint,
  id uuid not null,
  position text collate "C" not null,
  stream text collate "C" not null,
  type text collate "C" not null,
  actor text collate "C",
  correlation text collate "C",
  -- null if it is the correlation, as of most events
  causation text collate "C",
  conversation text collate "C"
);

-- Rows are read in the order of their numbers: each index has the number behind what is looked for. Positions and
-- times grow with the number, so they are found by bisection and need no index.
create index events_id on audit.events (id);
create index events_stream on audit.events (stream, number);
create index events_type on audit.events (type, number);
create index events_actor on audit.events (actor, number);
create index events_acted_for on audit.events (acted_for, number) where acted_for is not null;
create index events_conversation on audit.events (conversation, number) where conversation is not null;
create index events_mid on audit.events (mid, number) where mid is not null;
-- A request has few events: they are found by a smaller index, and sorted.
create index events_correlation on audit.events using hash (correlation);
create index events_causation on audit.events using hash (causation) where causation is not null;

-- The people whom an event is about.
create table audit.people (
  uid bigint not null,
  number bigint not null,
  primary key (uid, number)
);

-- Which types of events lie in which category of streams: few rows.
create table audit.types (
  category text collate "C" not null,
  type text collate "C" not null,
  primary key (category, type)
);

-- The number of the first event that was recorded at a moment or later; one more than the last one if none was.
create function audit.first_recorded(moment bigint) returns bigint language plpgsql stable as $$
declare
  low bigint := 0;
  high bigint;
  middle bigint;
begin
  select coalesce(max(number) + 1, 0) into high from audit.events;
  while low < high loop
    middle := (low + high) / 2;
    if (select recorded from audit.events where number = middle) >= moment then high := middle;
    else low := middle + 1;
    end if;
  end loop;
  return low;
end $$;

-- The number of the first event that lies after a position; one more than the last one if none does.
create function audit.first_after(place text) returns bigint language plpgsql stable as $$
declare
  low bigint := 0;
  high bigint;
  middle bigint;
begin
  select coalesce(max(number) + 1, 0) into high from audit.events;
  while low < high loop
    middle := (low + high) / 2;
    if (select position from audit.events where number = middle) > place collate "C" then high := middle;
    else low := middle + 1;
    end if;
  end loop;
  return low;
end $$;
