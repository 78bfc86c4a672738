-- Which rows of pushes.push hold the text of a message, for what takes it back. Rows that name their message have none.
create index concurrently if not exists push_text_mid_idx on pushes.push (mid) where mid is not null and data <> '{}';
