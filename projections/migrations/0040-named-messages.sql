-- Of the row of the read models: whether the push of a message is stored as one row of pushes.push that names the message,
-- with the conversation in `channel`, the message in `mid` and '{}' in `data`. Else it is one row with the whole text for
-- each channel, as programs read it that do not know this migration.

alter table followers.checkpoint add column names_messages boolean not null default false;
