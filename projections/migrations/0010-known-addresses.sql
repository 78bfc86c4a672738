-- From which addresses people have logged in, and which addresses guessed at an SMS code.

create table accounts.known_addresses (
  uid bigint not null,
  -- an IPv4 address, or an IPv6 network of 64 bits
  address text collate "C" not null,
  -- at most a day older than the last login
  seen timestamptz not null default now(),
  primary key (uid, address)
);

create index on accounts.known_addresses (seen);

-- The number of wrong guesses from each address; wrong_tries counts those of addresses that did not ask for the code.
alter table accounts.sms_codes add column guesses jsonb not null default '{}';
