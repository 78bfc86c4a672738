import type { Client } from 'pg';
import { openClient, type Purpose } from '../services/postgres/connect.ts';
import { inTransaction } from '../services/postgres/transaction.ts';
import { type Migration, readMigrations } from './migrations.ts';

/** An hour: a migration may rewrite large tables, and others wait until it is done. */
const statementTimeoutMs = 3_600_000;
const purpose: Purpose = { name: 'bubble-im migrations', statementTimeoutMs };

/** The lock and the table are those of Kysely's migrator, which earlier versions used. */
const lockId = '3853314791062309107';
const makeRecord = `
  create table if not exists kysely_migration (
    name varchar(255) primary key,
    timestamp varchar(255) not null
  )`;

/**
 * Brings a database's tables up to date, each migration in one transaction. It may be called several times at once:
 * one call applies the migrations, the others wait and find nothing to do.
 * @param wanted only those of these recorded names, for data of an older version; by default all
 * @returns the names of the migrations that were applied now.
 * @throws Error when the database cannot be reached, a migration fails (nothing of it remains), or the
 * database was made by a newer version of the program.
 */
export async function migrate(url: string, wanted?: readonly string[]): Promise<string[]> {
  const migrations = await readMigrations();
  const client = await openClient(url, purpose);
  try {
    // The end of the connection releases the lock.
    await client.query('select pg_advisory_lock($1)', [lockId]);
    await client.query(makeRecord);
    const applied = await findApplied(client);
    refuseNewer(applied, migrations);
    const pending = migrations.filter(
      ({ recordedAs }) => !applied.has(recordedAs) && (wanted?.includes(recordedAs) ?? true),
    );
    for (const migration of pending) await apply(client, migration);
    return pending.map(({ name }) => name);
  } finally {
    await client.end();
  }
}

/**
 * Which migrations a database lacks, without changing it.
 * @returns their names; all of them for a database in which nothing is
 * @throws Error if the database was made by a newer version of the program; what `pg` throws
 */
export async function pendingMigrations(client: Client): Promise<string[]> {
  const migrations = await readMigrations();
  const { rows } = await client.query<{ there: boolean }>(
    `select to_regclass('kysely_migration') is not null as there`,
  );
  const applied = rows[0]?.there ? await findApplied(client) : new Set<string>();
  refuseNewer(applied, migrations);
  return migrations.filter(({ recordedAs }) => !applied.has(recordedAs)).map(({ name }) => name);
}

async function findApplied(client: Client): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ name: string }>('select name from kysely_migration order by name');
  return new Set(rows.map(({ name }) => name));
}

function refuseNewer(applied: ReadonlySet<string>, migrations: readonly Migration[]): void {
  const known = new Set(migrations.map(({ recordedAs }) => recordedAs));
  const unknown = [...applied].filter((name) => !known.has(name));
  if (unknown.length > 0) {
    throw new Error(
      `the database is of a newer version, which applied ${unknown.join(', ')}: update the program`,
    );
  }
}

async function apply(client: Client, { name, recordedAs, sql }: Migration): Promise<void> {
  try {
    await inTransaction(client, async () => {
      await client.query(sql);
      await client.query('insert into kysely_migration values ($1, $2)', [
        recordedAs,
        new Date().toISOString(),
      ]);
    });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`the migration ${name} failed: ${message}`, { cause: error });
  }
}
