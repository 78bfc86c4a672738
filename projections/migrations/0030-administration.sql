-- Lists of people and groups for those who administer the system, and what they see of sessions.

-- When the person registered, in seconds since 1970; 0 until the read models are made again.
alter table read.users add column created bigint not null default 0;

-- A list is sorted by what is searched for, then by the id: a page reads as many entries as it shows. Cut, since an
-- entry of an index has a greatest size.
create index users_by_username on read.users (left(lower(username), 64) collate "C", uid);
create index users_by_nickname on read.users (left(lower(nickname), 64) collate "C", uid);
create index users_by_phone on read.users (phone collate "C", uid) where phone is not null;
create index groups_by_name on read.groups (left(lower(name), 64) collate "C", gid);
create index groups_by_owner on read.groups (owner, gid);

alter table accounts.tokens
  -- where the login came from, as much of it as the setting audit_address kept
  add column address text,
  -- the User-Agent of the login, cut
  add column device text;
