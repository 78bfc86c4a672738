-- Events that were appended to EventStoreDB under the id of another event of their stream, and that no operator has decided
-- to skip (services/audit/index/stored-repeats.ts). The index holds the first event of an id alone, so that nothing else
-- tells of them. Made and emptied together with the index.
create table audit.repeats (
  position text collate "C" primary key,
  stream text collate "C" not null,
  revision bigint not null,
  -- the revision of the first event of the id
  first bigint not null,
  id uuid not null,
  type text collate "C" not null,
  -- milliseconds since 1970
  recorded bigint not null
);
