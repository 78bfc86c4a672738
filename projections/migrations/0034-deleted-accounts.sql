-- Accounts that were deleted, and the deletions that are under way.

create table read.deletions (
  uid bigint primary key,
  -- in seconds since 1970
  begun bigint not null
);

-- A deleted account's row stays without its names, so that nobody gets its uid or number id, and nothing restores it.
alter table accounts.accounts add column deleted boolean not null default false;
