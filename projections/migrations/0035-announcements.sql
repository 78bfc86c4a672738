-- What those who run the system told everyone, and up to where people have seen it.

create table read.announcements (
  id bigint primary key,
  -- empty if it was revoked
  content text not null,
  timestamp bigint not null,
  revoked boolean not null
);

create table read.announcements_seen (
  uid bigint primary key,
  seen bigint not null
);
