import { type Kysely, sql } from 'kysely';

/** Counts a gateway's heartbeats, so that others see whether it lives without comparing clocks. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table presence.gateways add column beats bigint not null default 0`.execute(db);
}
