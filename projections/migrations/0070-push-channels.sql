-- The pushes of a channel in their order: a later push is of the same batch or of a later one. An entry has 24 bytes, to
-- which Postgres fills pages behind a row that follows on the last one. Two channels of one hash are told apart by `channel`.
create index concurrently if not exists push_channel_batch on pushes.push (hashtextextended(channel, 0), batch);
