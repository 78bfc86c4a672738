-- Unused since 0001-log

-- An event that was put elsewhere past the program would be in its stream, and so be obeyed, and yet in no read of the
-- whole log. No program writes such events. Rows that are there already are not looked at, since that would read all of the
-- log at the start: the auditor and `npm run verify` name them (services/log/postgres/misplaced-events.ts). The greatest
-- position is the greatest whole number that a double holds exactly.
alter table log.events
  add constraint events_position_placed check (position between 1 and 9007199254740991) not valid,
  add constraint events_revision_placed check (revision >= 0) not valid;
