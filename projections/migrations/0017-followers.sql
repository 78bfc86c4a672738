-- Lease and checkpoint of every follower of the log, by its name, outside the schema of the read models: those are
-- emptied and made again, these are not. A follower adds its own rows (services/followers/lease.ts).

create schema followers;
alter table read.lease set schema followers;
alter table read.checkpoint set schema followers;
drop function read.advance(text, bigint, text, uuid, bigint);

-- The compare-and-set of a batch: it ends the whole transaction if another process has gone on.
create function followers.advance(
  follower text, was text, held bigint, reached text, reached_id uuid, next bigint) returns void
language plpgsql as $$
begin
  update followers.checkpoint set position = reached, event_id = reached_id, batch = next
    where name = follower and position = was and fence = held;
  if not found then
    raise exception 'another process has gone on from the checkpoint' using errcode = 'BI001';
  end if;
end $$;
