-- Uploads: the name under which each is downloaded, and the bytes that each person's uploads take. Neither is in the log.

create table accounts.uploads (
  path text collate "C" primary key,
  -- null if the server's key uploaded for nobody
  uid bigint,
  name text not null,
  bytes bigint not null,
  uploaded timestamptz not null default now()
);

-- The sum of a person's uploads, changed in the same statement: to sum up 100,000 rows takes too long.
create table accounts.upload_usage (
  uid bigint primary key,
  bytes bigint not null
);
