-- The read models and the record of pushes. All but read.push can be made again from the log.

create schema read;

create table read.checkpoint (
  name text primary key,
  position text collate "C" not null,
  -- grows by one each commit; with the fence it lets a listener notice a gap
  batch bigint not null,
  -- the fencing number of the lease under which the last commit was made
  fence bigint not null,
  -- positions are valid within one epoch of the log
  epoch text not null
);

insert into read.checkpoint
  select 'read', '', 0, 0, left(replace(gen_random_uuid()::text, '-', ''), 12);

create table read.lease (
  name text primary key,
  -- the working projector; another may take over after `expires`
  holder text not null,
  -- grows by one each time a projector begins to work
  fence bigint not null,
  expires timestamptz not null
);

insert into read.lease values ('read', '', 0, '-infinity');

-- The compare-and-set at the end of a batch: it fails the whole transaction if another projector has gone on.
create function read.advance(was text, held bigint, reached text, next bigint) returns void
language plpgsql as $$
begin
  update read.checkpoint set position = reached, batch = next
    where name = 'read' and position = was and fence = held;
  if not found then
    raise exception 'another projector has gone on from the checkpoint' using errcode = 'BI001';
  end if;
end $$;

create table read.users (
  uid bigint primary key,
  username text not null,
  nickname text not null,
  avatar text not null,
  sign text not null,
  phone text,
  number_id bigint not null,
  is_member boolean not null,
  account_state text not null,
  parent bigint
);

create index on read.users (lower(username));
create index on read.users (number_id);

create table read.friendships (
  uid bigint not null,
  friend bigint not null,
  -- what uid calls friend
  remark text not null,
  primary key (uid, friend)
);

create table read.applications (
  application_id bigint primary key,
  applicant bigint not null,
  recipient bigint not null,
  postscript text not null,
  operation text not null,
  timestamp bigint not null
);

create index on read.applications (recipient, timestamp desc, application_id desc);
create index on read.applications (applicant, recipient);

create table read.groups (
  gid bigint primary key,
  owner bigint not null,
  name text not null,
  -- null: composed of the faces
  avatar text,
  -- the first nine members, by index
  faces bigint[] not null,
  state text not null,
  muted boolean not null,
  created bigint not null,
  next_index bigint not null,
  member_count bigint not null
);

create table read.group_members (
  gid bigint not null,
  uid bigint not null,
  index bigint not null,
  role text not null,
  muted_until bigint not null,
  -- what uid calls the group
  remark text not null,
  -- they may read what is after this sequence, or at and after this place of the log
  joined_sequence bigint not null,
  joined_place text collate "C" not null,
  primary key (gid, uid)
);

create index on read.group_members (gid, index);
create index on read.group_members (uid);

create table read.conversations (
  conversation text collate "C" primary key,
  -- the last sequence that was given
  sequence bigint not null,
  -- messages (no notices) so far, revoked and deleted ones included
  counted bigint not null,
  -- the sequence of the last message that is no notice
  last_message_sequence bigint not null,
  -- the greatest sequence of a revoked or deleted message
  dead_sequence bigint not null,
  -- the place in the log of the last message or notice, or of the group's creation
  last_place text collate "C" not null,
  -- the message at the last sequence, so that a list of chats need not look it up; null if that was deleted or is long
  newest_mid bigint,
  newest_sender bigint,
  newest_content text,
  newest_timestamp bigint,
  newest_sub_type text,
  newest_state text
) with (fillfactor = 70);

create table read.messages (
  conversation text collate "C" not null,
  sequence bigint not null,
  mid bigint not null,
  event_id uuid not null,
  sender bigint not null,
  content text not null,
  timestamp bigint not null,
  sub_type text not null,
  -- normal, revoked, deleted
  state text not null,
  quote_mid bigint,
  -- uids; 0 for all
  mentions bigint[],
  unique_id text,
  content_hash text,
  -- running numbers, this message included: of messages in the conversation, of the sender's own
  -- (since their joining, in a group)
  counted bigint not null,
  own bigint not null,
  primary key (conversation, sequence)
);

create unique index on read.messages (mid);
create index on read.messages (event_id) where unique_id is not null;
create index on read.messages (conversation, sender, sequence);
create index on read.messages (conversation, sequence) where state <> 'normal';
create index on read.messages (conversation, sequence) where mentions is not null;
create index on read.messages (conversation, timestamp, sequence);

create table read.message_deletions (
  uid bigint not null,
  conversation text collate "C" not null,
  sequence bigint not null,
  primary key (uid, conversation, sequence)
);

create table read.inbox (
  uid bigint not null,
  conversation text collate "C" not null,
  -- the other's uid, or the gid
  party bigint not null,
  read_sequence bigint not null,
  -- messages (no notices) of others up to read_sequence; null: to be counted
  read_others bigint,
  -- messages (no notices) of uid here so far, in a group since their joining; the sequence of the last
  own bigint not null,
  own_sequence bigint not null,
  -- hidden while the conversation's last_message_sequence is not greater; null: not hidden
  hidden_sequence bigint,
  pinned boolean not null,
  -- the least number of unread messages to show until the next reading
  marked_unread bigint not null,
  primary key (uid, conversation)
) with (fillfactor = 70);

create table read.replies (
  rid bigint primary key,
  uid bigint not null,
  type int not null,
  title text not null,
  content text not null,
  weights bigint not null,
  is_default boolean not null
);

create index on read.replies (uid);

create table read.settings (name text primary key, value text not null);

create table read.push (
  place text collate "C" not null,
  number int not null,
  channel text collate "C" not null,
  event text not null,
  data text not null,
  batch bigint not null,
  created timestamptz not null default now(),
  primary key (place, number)
);

create index on read.push (channel, place, number);
