-- Who wrote what in a group, for how much a member has read. Between two people the running numbers of a message tell it.
create index concurrently if not exists messages_group_senders_idx on read.messages (conversation, sender, sequence)
  where conversation >= 'g';
