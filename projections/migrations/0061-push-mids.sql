-- Unused since 0060-push-texts
-- Deferred 7 days

-- It reads all rows that were written since autovacuum was there last.
drop index pushes.push_mid_idx;
