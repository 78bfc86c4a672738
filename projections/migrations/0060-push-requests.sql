-- The id of the request that caused a push, if requests are traced: a gateway that reads the push from here adds to the
-- request's trace. Null if they are not, and from programs that do not know the column.
alter table pushes.push add column request text;
