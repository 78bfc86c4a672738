-- Mutes by person and group, which outlast the membership. Those of members are copied. A mute of a person who left
-- before this version is known to the commands, which fold the log, and not to the read models.

create table read.group_mutes (
  gid bigint not null,
  uid bigint not null,
  -- in seconds since 1970
  until bigint not null,
  primary key (gid, uid)
);

insert into read.group_mutes
  select gid, uid, muted_until from read.group_members where muted_until > 0;
