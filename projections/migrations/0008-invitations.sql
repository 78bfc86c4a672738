-- Invitations to groups are rows of the applications.

-- Null: an application to be friends.
alter table read.applications add column gid bigint;
