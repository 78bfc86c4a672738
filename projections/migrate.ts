import { Kysely, PostgresDialect, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { openPool, type Purpose } from '../services/postgres/connect.ts';
import { migrations } from './migrations/index.ts';

/** An hour: a migration may rewrite large tables, and others wait until it is done. */
const longest = 3_600_000;
const purpose: Purpose = { name: 'bubble-im migrations', statementTimeoutMs: longest };

/**
 * Brings a database's tables up to date, each migration in one transaction. Several callers at once do
 * no harm: one applies, the others wait and find nothing to do.
 * @returns the names of what was applied now.
 * @throws Error when the database cannot be reached, a migration fails (nothing of it remains), or the
 * database was made by a newer version of the program.
 */
export async function migrate(url: string): Promise<string[]> {
  // The failure of a connection shows at its next use.
  const pool = openPool(url, purpose, { max: 1, onBroken: () => undefined });
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    await refuseNewer(db);
    const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
    const { error, results = [] } = await migrator.migrateToLatest();
    if (error !== undefined) {
      const failed = results.find(({ status }) => status === 'Error')?.migrationName;
      throw new Error(
        `the migration${failed === undefined ? '' : ` ${failed}`} failed: ${messageOf(error)}`,
        {
          cause: error,
        },
      );
    }
    return results.map(({ migrationName }) => migrationName);
  } finally {
    await db.destroy();
  }
}

async function refuseNewer(db: Kysely<unknown>): Promise<void> {
  const tables = await sql<{ found: boolean }>`
    select to_regclass('kysely_migration') is not null as found`.execute(db);
  if (!tables.rows[0]?.found) return;
  const applied = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db);
  const unknown = applied.rows.filter(({ name }) => !(name in migrations)).map(({ name }) => name);
  if (unknown.length > 0) {
    throw new Error(
      `the database is of a newer version, which applied ${unknown.join(', ')}: update the program`,
    );
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
