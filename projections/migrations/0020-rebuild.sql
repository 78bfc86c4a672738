-- What a rebuild does not make again leaves the schema that it replaces (docs/architecture.md, Making the read models
-- again).

create schema pushes;
alter table read.push set schema pushes;

-- The version of what made a set of read models, null if that is not known; and the versions that it replaced.
alter table followers.checkpoint
  add column version text,
  add column earlier_versions text[] not null default '{}';
