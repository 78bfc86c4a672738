-- Audited events whose texts hold what reading them leaves out, as the first of two values of one key, so that they were
-- written past the program (services/audit/tree/stored-unread.ts). Made and emptied together with the tree.
create table audit.unread (
  position text collate "C" primary key,
  stream text collate "C" not null,
  revision bigint not null
);
