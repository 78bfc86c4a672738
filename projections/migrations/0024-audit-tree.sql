-- The Merkle tree over the log (services/audit/tree/). Digests and tiles are made together with the index, and made
-- again with it. Heads stay: they are what a log is compared with.

-- The digests of consecutive events, 32 bytes each; `first` is the number of the first of them.
create table audit.digests (
  first bigint primary key,
  digests bytea not null
);
-- Hashes cannot be compressed.
alter table audit.digests alter column digests set storage external;

-- The hash of each full tile: an entry of the tile above it.
create table audit.tiles (
  level int not null,
  index bigint not null,
  hash bytea not null,
  primary key (level, index)
);

-- Signed heads, with the cosignatures that they got.
create table audit.heads (
  origin text collate "C" not null,
  size bigint not null,
  note text not null,
  signed timestamptz not null default clock_timestamp(),
  primary key (origin, size)
);

-- How many events the last head has that a witness cosigned.
create table audit.witnesses (
  url text collate "C" not null,
  origin text collate "C" not null,
  size bigint not null,
  primary key (url, origin)
);
