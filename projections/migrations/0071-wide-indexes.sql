-- Unused since 0070-stream-tails
-- Deferred 7 days

-- 0070-push-channels and 0070-stream-revisions replace them.
drop index pushes.push_channel_place_number_idx;
alter table log.events drop constraint events_stream_revision_key;
