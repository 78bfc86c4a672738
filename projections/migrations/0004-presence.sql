-- Who is online at which gateway. Not from the log: each gateway writes its own sockets, and a heartbeat.

create schema presence;

create table presence.gateways (
  gateway text collate "C" primary key,
  -- the last heartbeat; a gateway's rows are valid for some seconds after it
  seen timestamptz not null,
  -- when it began to close its sockets, so that clients choose another gateway
  leaving timestamptz
);

create table presence.users (
  uid bigint not null,
  gateway text collate "C" not null,
  primary key (uid, gateway)
);

create index on presence.users (gateway);

create table presence.logouts (
  uid bigint primary key,
  -- when the last socket closed, in seconds since 1970
  timestamp bigint not null
);

create table presence.members (
  channel text collate "C" not null,
  user_id text collate "C" not null,
  gateway text collate "C" not null,
  -- the user_info that the channel's other members see, as JSON; null if there is none
  info text,
  primary key (channel, user_id, gateway)
);

create index on presence.members (gateway);
