-- The last event of each cache channel, for later subscribers. Not from the log: it expires.

create sequence presence.event_versions;

create table presence.last_events (
  channel text collate "C" primary key,
  -- its name and its data, each JSON as text
  event text not null,
  data text not null,
  -- grows with each event of the channel
  version bigint not null,
  expires timestamptz not null
);

create index on presence.last_events (expires);
