-- Unused since 0018-recorded-order

-- The events of a stream in order, and the proof that no two of them have one revision. An entry has 24 bytes, to which
-- Postgres fills pages behind a row that follows on the last one; with the stream's name it is wider, and pages stay half
-- empty. Like (stream, revision), which it replaces, it refuses the same revision of the same stream; beyond that it would
-- refuse two streams whose hashes of 96 bits are equal, which among 10 million streams is as likely as 1 in 10^15. Programs
-- of any version write no such events.
create unique index concurrently if not exists events_stream_revision on log.events (
  hashtextextended(stream, 0), ((hashtextextended(stream, 1) >> 32)::integer), (revision::integer)
);
