-- An id of an application or a reply that was given twice, as after a failover to a database that had lost the last
-- ids, must not let one person's row overwrite another's: the keys name the person too.

alter table read.applications drop constraint applications_pkey;
alter table read.applications add primary key (recipient, application_id, applicant);
-- For the greatest id.
create index on read.applications (application_id);
alter table read.replies drop constraint replies_pkey;
alter table read.replies add primary key (uid, rid);
create index on read.replies (rid);
-- The primary key begins with uid.
drop index if exists read.replies_uid_idx;
