-- What must not be in the log: names, password hashes, tokens, SMS codes; and the sequences that give ids.

create schema accounts;

create sequence accounts.uid;
create sequence accounts.application_id;
create sequence accounts.reply_id;
create sequence accounts.mid;

create table accounts.accounts (
  uid bigint primary key,
  username text not null,
  -- without regard to case
  username_key text collate "C" not null unique,
  phone text collate "C" unique,
  number_id bigint not null unique,
  password_hash text not null,
  -- whether UserRegistered is known to be in the log
  registered boolean not null default false,
  created timestamptz not null default now()
);

create table accounts.failed_passwords (
  username_key text collate "C" primary key,
  -- within the last minute, oldest first
  tries timestamptz[] not null
);

create table accounts.tokens (
  hash bytea primary key,
  uid bigint not null,
  created timestamptz not null default now(),
  -- at most an hour older than the last use
  used timestamptz not null default now()
);

create index on accounts.tokens (uid);
create index on accounts.tokens (used);

create table accounts.captchas (
  id text collate "C" primary key,
  hash bytea not null,
  created timestamptz not null default now()
);

create index on accounts.captchas (created);

create table accounts.sms_codes (
  id bigint generated always as identity primary key,
  phone text collate "C" not null,
  purpose text collate "C" not null,
  hash bytea not null,
  wrong_tries int not null default 0,
  sent timestamptz not null default clock_timestamp(),
  spent boolean not null default false,
  -- the client that asked for it
  address text collate "C" not null
);

create index on accounts.sms_codes (phone, sent);
create index on accounts.sms_codes (address, sent);
create index on accounts.sms_codes (sent);

create table accounts.sms_inbox (
  id bigint generated always as identity primary key,
  phone text collate "C" not null,
  type text not null,
  code text not null,
  sent timestamptz not null default clock_timestamp()
);

create index on accounts.sms_inbox (phone, id);

create table accounts.created_groups (
  uid bigint not null,
  unique_id text collate "C" not null,
  gid bigint not null,
  request_hash text not null,
  primary key (uid, unique_id)
);
