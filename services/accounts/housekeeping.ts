import { sql } from 'kysely';
import type { Logger } from 'pino';
import { knownDays } from './known-addresses.ts';
import type { AccountsDatabase } from './tables.ts';

export interface Housekeeping {
  /** Removes, now, what has run out. @throws what the database throws. */
  sweep(): Promise<void>;
  /** Ends it, once a sweep under way is done. */
  close(): Promise<void>;
}

/** A hundred years; what lies much further back Postgres cannot count. */
const longestDays = 36_500;

/**
 * Removes every ten minutes what has run out: tokens, captchas, SMS codes with the phones and addresses
 * in them, counts of wrong passwords. Any number of processes may do so.
 * @param tokenDays the setting token_days at the time of the call.
 */
export function startHousekeeping(options: {
  readonly database: AccountsDatabase;
  readonly tokenDays: () => number | Promise<number>;
  readonly logger: Logger;
}): Housekeeping {
  const { database, tokenDays, logger } = options;
  let sweeping: Promise<void> | undefined;

  async function sweep(): Promise<void> {
    const days = Math.min(Math.ceil(await tokenDays()), longestDays);
    await sql`
      delete from accounts.tokens
      where used < now() - make_interval(days => ${days}::int)`.execute(database);
    await sql`delete from accounts.captchas where created < now() - interval '5 minutes'`.execute(database);
    await sql`delete from accounts.sms_codes where sent < now() - interval '1 day'`.execute(database);
    await sql`delete from accounts.sms_inbox where sent < now() - interval '1 day'`.execute(database);
    await sql`
      delete from accounts.known_addresses
      where seen < now() - make_interval(days => ${knownDays})`.execute(database);
    await sql`
      delete from accounts.failed_passwords
      where not exists (select from unnest(tries) at where at > now() - interval '1 minute')`.execute(
      database,
    );
  }

  const timer = setInterval(() => {
    sweeping ??= sweep()
      .catch((error: unknown) => logger.warn({ err: error }, 'what has run out could not be removed'))
      .finally(() => {
        sweeping = undefined;
      });
  }, 600_000);
  timer.unref();

  return {
    sweep,
    async close() {
      clearInterval(timer);
      await sweeping;
    },
  };
}
