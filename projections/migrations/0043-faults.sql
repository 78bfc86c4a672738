-- Why a follower has stopped, and before which event, for processes that have no follower of that name: an API alone. It
-- holds until a follower of the name begins to work. Null if it follows the log.
alter table followers.checkpoint
  add column fault text,
  add column fault_position text collate "C";

-- `followers.advance` of 0017-followers. A follower of a version that does not know these columns removes a fault by going on.
create or replace function followers.advance(
  follower text, was text, held bigint, reached text, reached_id uuid, next bigint) returns void
language plpgsql as $$
begin
  update followers.checkpoint
    set position = reached, event_id = reached_id, batch = next, fault = null, fault_position = null
    where name = follower and position = was and fence = held;
  if not found then
    raise exception 'another process has gone on from the checkpoint' using errcode = 'BI001';
  end if;
end $$;
