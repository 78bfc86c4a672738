-- Numbers the changes of presence channels, so that a gateway reads only what has changed.

create sequence presence.member_versions;

alter table presence.members
  add column version bigint not null default nextval('presence.member_versions');

create index on presence.members (channel, version);

-- The members who left a channel, until every gateway has read it.
create table presence.departures (
  channel text collate "C" not null,
  user_id text collate "C" not null,
  version bigint not null default nextval('presence.member_versions'),
  left_at timestamptz not null default now(),
  primary key (channel, user_id)
);

create index on presence.departures (channel, version);
create index on presence.departures (left_at);
