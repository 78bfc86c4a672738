-- How a log is recognised: its identity beside the log in Postgres, and in the checkpoint of the read models.

create table log.identity (
  installation text not null,
  epoch text not null,
  -- there is one row
  one_row boolean primary key default true check (one_row)
);

-- The installation whose log it is, null until it is known; the event at the position; and the position up to which
-- events are applied without pushing, because they were pushed before.
alter table read.checkpoint
  add column installation text,
  add column event_id uuid,
  add column quiet_until text collate "C" not null default '';

drop function read.advance(text, bigint, text, bigint);

create function read.advance(was text, held bigint, reached text, reached_id uuid, next bigint) returns void
language plpgsql as $$
begin
  update read.checkpoint set position = reached, event_id = reached_id, batch = next
    where name = 'read' and position = was and fence = held;
  if not found then
    raise exception 'another projector has gone on from the checkpoint' using errcode = 'BI001';
  end if;
end $$;
