-- The lease no longer expires by the database's clock, which may be set back or forth: a standby watches on its own
-- clock whether `renewals` grows. The holder names the connection that it writes over, so that a successor can end it.

alter table read.lease
  drop column expires,
  add column renewals bigint not null default 0,
  add column backend int,
  -- a process id is used again: the pair names one connection
  add column backend_started timestamptz;
