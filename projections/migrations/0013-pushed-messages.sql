-- Which message a push shows and which it quotes, so that a revoked or deleted one can be removed from it.

alter table read.push add column mid bigint, add column quote_mid bigint;

update read.push set mid = (data::json->>'mid')::bigint, quote_mid = (data::json->>'quote_mid')::bigint
  where event = 'message';

-- Mids grow with the rows, so a summary of every 32 pages finds one, and costs almost nothing to write.
create index on read.push using brin (mid) with (pages_per_range = 32, autosummarize = on);
create index on read.push (quote_mid) where quote_mid is not null;
