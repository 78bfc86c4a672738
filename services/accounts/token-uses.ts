import { sql } from 'kysely';
import type { Logger } from 'pino';
import type { AccountsDatabase } from './tables.ts';
import type { TokenHash } from './tokens.ts';

/** The last use is written no more often than this. */
export const useNotedSeconds = 3600;

/** Writes when tokens were used, in the background, many at once. */
export function createTokenUses(database: AccountsDatabase, logger: Logger) {
  const used = new Set<TokenHash>();
  let writing: Promise<void> | undefined;

  async function writeAll(): Promise<void> {
    while (used.size > 0) {
      const hashes = [...used].map((hash) => Buffer.from(hash, 'hex'));
      used.clear();
      // Rows that another process is noting just now are left to it, so that no two wait for each other.
      await sql`
        update accounts.tokens set used = now() where hash in (
          select hash from accounts.tokens
          where hash = any(${hashes}::bytea[]) and used < now() - make_interval(secs => ${useNotedSeconds})
          for update skip locked
        )`
        .execute(database)
        .catch((error: unknown) => logger.warn({ err: error }, 'uses of tokens could not be noted'));
    }
  }

  return {
    /** Notes that the token is used now. */
    note(hash: TokenHash): void {
      used.add(hash);
      writing ??= writeAll().finally(() => {
        writing = undefined;
      });
    },
    /** Waits until what was noted is written. */
    async close(): Promise<void> {
      await writing;
    },
  };
}
