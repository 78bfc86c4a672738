import { sql } from 'kysely';
import type { Logger } from 'pino';
import type { AccountsDatabase } from './accounts-tables.ts';
import type { TokenHash } from './token-hash.ts';

/** The last use of a token is written at most this often. */
export const useRecordedSeconds = 3600;

/** Writes when tokens were used, in the background, many in one statement. */
export function createTokenUses(database: AccountsDatabase, logger: Logger) {
  const used = new Set<TokenHash>();
  let writing: Promise<void> | undefined;

  async function writeAll(): Promise<void> {
    try {
      while (used.size > 0) {
        const hashes = [...used].map((tokenHash) => Buffer.from(tokenHash, 'hex'));
        used.clear();
        // Rows that another process is writing are skipped, so that no two processes wait for each other.
        await sql`
          update accounts.tokens set used = now() where hash in (
            select hash from accounts.tokens
            where hash = any(${hashes}::bytea[]) and used < now() - make_interval(secs => ${useRecordedSeconds})
            for update skip locked
          )`
          .execute(database)
          .catch((error: unknown) => logger.warn({ err: error }, 'uses of tokens could not be recorded'));
      }
    } finally {
      // In the same step as the last look at what was used: what comes later begins the work again.
      writing = undefined;
    }
  }

  return {
    /** Records that the token is used now. */
    record(tokenHash: TokenHash): void {
      used.add(tokenHash);
      writing ??= writeAll();
    },
    /** Waits until the recorded uses are written. */
    async close(): Promise<void> {
      await writing;
    },
  };
}
