import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

/** How long the server has to begin the answer. */
const timeoutMs = 10_000;

/**
 * A program that ends once Postgres sends an answer to a log that does not read it: `busy-reader-program.ts URL`. It fails
 * if that does not happen.
 */
const client = new pg.Client(process.argv[2]);
await client.connect();
const until = performance.now() + timeoutMs;
for (;;) {
  const { rows } = await client.query(
    `select from pg_stat_activity
      where datname = current_database() and application_name = 'bubble-im log' and wait_event = 'ClientWrite'`,
  );
  if (rows.length > 0) break;
  if (performance.now() > until) throw new Error('the server was asked for nothing');
  await delay(20);
}
await client.end();
