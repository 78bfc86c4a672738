import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { openClient, type Purpose } from '../services/postgres/connect.ts';
import { sqlState } from '../services/postgres/sql-state.ts';
import { inTransaction } from '../services/postgres/transaction.ts';
import { type Migration, readMigrations } from './migrations.ts';
import { dueMigrations, makeRecord, readSchemaFit, tooOld } from './schema-fit.ts';

/** An hour: a migration may rewrite large tables, and others wait until it is done. */
const statementTimeoutMs = 3_600_000;
const purpose: Purpose = {
  name: 'bubble-im migrations',
  statementTimeoutMs,
  // A migration and its record are lost together, and whatever is committed with waiting later makes both last.
  settings: { synchronous_commit: 'off' },
};

/** The lock is that of Kysely's migrator, which earlier versions used. */
const lockId = '3853314791062309107';

/**
 * How long a statement waits for a table. Everybody who comes later to that table waits behind it, so this is well below
 * what a call of the API may take (5 s).
 */
const lockTimeoutMs = 500;
/** How long a migration is begun again if others hold its tables, and how long they have them between two attempts. */
const lockedForMs = 120_000;
const lockedPauseMs = 500;
const lockPollMs = 100;

export interface MigrateOptions {
  /** Only those of these recorded names, for data of an older version; by default all. */
  readonly wanted?: readonly string[];
  /** By default those of this program. */
  readonly migrations?: readonly Migration[];
}

/**
 * Brings a database's tables up to date, each migration in one transaction. It may be called several times at once:
 * one call applies the migrations, the others wait and find nothing to do. Programs that run meanwhile go on: no statement
 * of theirs waits longer than half a second for a table that a migration waits for.
 * @returns the names of the migrations that were applied now.
 * @throws Error when the database cannot be reached, a migration fails (nothing of it remains), or a
 * newer version of the program has removed what this one uses.
 */
export async function migrate(url: string, options: MigrateOptions = {}): Promise<string[]> {
  const { wanted, migrations = await readMigrations() } = options;
  const client = await openClient(url, purpose);
  try {
    await lock(client);
    await client.query(makeRecord);
    const fit = await readSchemaFit(client, migrations);
    if (fit.missing.length > 0) throw new Error(tooOld(fit));
    const pending = dueMigrations(migrations, fit.applied).filter(
      ({ recordedAs }) => wanted?.includes(recordedAs) ?? true,
    );
    for (const migration of pending) await apply(client, migration);
    return pending.map(({ name }) => name);
  } finally {
    // The end of the connection releases the lock.
    await client.end();
  }
}

/**
 * Which migrations a start would apply to a database, without changing it.
 * @returns their names; all of them for a database in which nothing is
 * @throws Error if a newer version of the program has removed what this one uses; what `pg` throws
 */
export async function pendingMigrations(client: Client): Promise<string[]> {
  const migrations = await readMigrations();
  const { rows } = await client.query<{ there: boolean }>(
    `select to_regclass('kysely_migration') is not null as there`,
  );
  if (!rows[0]?.there) return migrations.map(({ name }) => name);
  const fit = await readSchemaFit(client, migrations);
  if (fit.missing.length > 0) throw new Error(tooOld(fit));
  return dueMigrations(migrations, fit.applied).map(({ name }) => name);
}

/**
 * Waits for the right to migrate. It asks again and again: a statement that waited would be a transaction under way, for
 * whose end the making of an index beside writers waits, while it waits for that.
 */
async function lock(client: Client): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{ locked: boolean }>('select pg_try_advisory_lock($1) as locked', [
      lockId,
    ]);
    if (rows[0]?.locked) return;
    await delay(lockPollMs);
  }
}

async function apply(client: Client, migration: Migration): Promise<void> {
  const began = performance.now();
  for (;;) {
    try {
      await (migration.concurrent ? applyBeside(client, migration) : applyAtOnce(client, migration));
      return;
    } catch (error) {
      if (!isLocked(error) || performance.now() - began > lockedForMs) throw named(migration, error);
      await delay(lockedPauseMs);
    }
  }
}

async function applyAtOnce(client: Client, migration: Migration): Promise<void> {
  await inTransaction(client, async () => {
    await client.query(`set local lock_timeout = ${lockTimeoutMs}`);
    await client.query(migration.sql);
    await record(client, migration);
  });
}

/** One that was interrupted has left an index that Postgres does not use, but would count as made. */
async function applyBeside(client: Client, migration: Migration): Promise<void> {
  const { rows } = await client.query<{ index: string; name: string }>(
    `select indexrelid::regclass::text as index, relname as name
       from pg_index join pg_class on pg_class.oid = indexrelid where not indisvalid`,
  );
  for (const { index, name } of rows) {
    if (new RegExp(`\\b${name}\\b`).test(migration.sql))
      await client.query(`drop index concurrently ${index}`);
  }
  await client.query(migration.sql);
  await record(client, migration);
}

async function record(client: Client, { recordedAs, unusedSince }: Migration): Promise<void> {
  await client.query('insert into kysely_migration (name, timestamp, unused_since) values ($1, $2, $3)', [
    recordedAs,
    new Date().toISOString(),
    unusedSince ?? null,
  ]);
}

/** Whether another held a table for longer than a statement may wait (55P03), or waited for one of ours (40P01). */
function isLocked(error: unknown): boolean {
  const state = sqlState(error);
  return state === '55P03' || state === '40P01';
}

function named({ name }: Migration, error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error);
  return new Error(`the migration ${name} failed: ${message}`, { cause: error });
}
