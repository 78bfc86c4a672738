import { sql } from 'kysely';
import type { Logger } from 'pino';
import type { AccountsDatabase } from './accounts-tables.ts';
import { knownDays } from './known-addresses.ts';

export interface Housekeeping {
  /** Removes what has expired, now. @throws what the database throws */
  sweep(): Promise<void>;
  /** Stops, after the sweep under way. */
  close(): Promise<void>;
}

/** A hundred years: Postgres cannot subtract much more. */
const maxDays = 36_500;

/** How often expired rows are removed. */
const intervalMs = 600_000;

/**
 * Removes expired rows every ten minutes: tokens, captchas, SMS codes with their phones and addresses, counts of
 * wrong passwords. Any number of processes may do so.
 * @param tokenDays the current value of the setting token_days
 */
export function startHousekeeping(options: {
  readonly database: AccountsDatabase;
  readonly tokenDays: () => number | Promise<number>;
  readonly logger: Logger;
}): Housekeeping {
  const { database, tokenDays, logger } = options;
  let sweeping: Promise<void> | undefined;

  async function sweep(): Promise<void> {
    const days = Math.min(Math.ceil(await tokenDays()), maxDays);
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
      .catch((error: unknown) =>
        logger.warn({ err: error }, 'expired rows of the accounts could not be removed'),
      )
      .finally(() => {
        sweeping = undefined;
      });
  }, intervalMs);
  timer.unref();

  return {
    sweep,
    async close() {
      clearInterval(timer);
      await sweeping;
    },
  };
}
