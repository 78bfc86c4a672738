-- Folded states of long streams, for the commands. Nothing depends on them: the table may be emptied at any time, and
-- Postgres empties it after a crash (unlogged), which keeps these rows out of the write-ahead log.

create schema folds;

create unlogged table folds.snapshots (
  stream text collate "C" primary key,
  -- of the fold that made it: another version folds anew
  version int not null,
  -- of the last event that was folded, with its id, by which another log is noticed
  revision bigint not null,
  event_id uuid not null,
  -- how many of the stream's events an operator had passed over
  skipped int not null,
  state bytea not null
);
