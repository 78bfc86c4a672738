import { type Kysely, sql } from 'kysely';

/** Which message a push shows and quotes, so that what is revoked or deleted can be taken out of it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  'alter table read.push add column mid bigint, add column quote_mid bigint',
  `update read.push set mid = (data::json->>'mid')::bigint, quote_mid = (data::json->>'quote_mid')::bigint
    where event = 'message'`,
  // Mids grow with the rows, so a summary of each few pages finds one, and costs next to nothing to write.
  'create index on read.push using brin (mid) with (pages_per_range = 32, autosummarize = on)',
  'create index on read.push (quote_mid) where quote_mid is not null',
];
