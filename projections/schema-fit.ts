import type { Migration } from './migrations.ts';

/** The record of the migrations that were applied. Its name is that of Kysely's migrator, which earlier versions used. */
export const makeRecord = `
  create table if not exists kysely_migration (
    name varchar(255) primary key,
    timestamp varchar(255) not null
  );
  alter table kysely_migration add column if not exists unused_since varchar(255);`;

/** How the tables of a database fit a program. */
export interface SchemaFit {
  /** The recorded names of all migrations that were applied, and when each was. */
  readonly applied: ReadonlyMap<string, Date>;
  /** Those of a newer version of the program, beside which this one goes on. */
  readonly newer: readonly string[];
  /** Those that removed or restricted what this program uses. */
  readonly missing: readonly string[];
}

/** A row of the record. */
interface Applied {
  readonly name: string;
  readonly timestamp: string;
  readonly unused_since: string | null;
}

/** A client or a pool of `pg`. */
interface Queries {
  query(text: string): Promise<{ readonly rows: readonly Applied[] }>;
}

/**
 * Compares what was applied to a database with the migrations that a program knows. One that it does not know is of a
 * newer version: it has only added something, unless it names the migration from which on programs do not use what
 * it removed. @throws what the database throws
 */
export async function readSchemaFit(
  database: Queries,
  migrations: readonly Pick<Migration, 'recordedAs'>[],
): Promise<SchemaFit> {
  const { rows } = await database.query(
    // Read so, a database of an earlier version may lack the column.
    `select name, timestamp, to_jsonb(m) ->> 'unused_since' as unused_since from kysely_migration m order by name`,
  );
  const known = new Set(migrations.map(({ recordedAs }) => recordedAs));
  const unknown = rows.filter(({ name }) => !known.has(name));
  const removes = ({ unused_since: since }: Applied) => since !== null && !known.has(since);
  return {
    applied: new Map(rows.map(({ name, timestamp }) => [name, new Date(timestamp)])),
    newer: unknown.filter((row) => !removes(row)).map(({ name }) => name),
    missing: unknown.filter(removes).map(({ name }) => name),
  };
}

/**
 * The migrations that are to be applied now: not those that are deferred, unless nothing was applied yet, so that no
 * program of an earlier version has worked on the database.
 */
export function dueMigrations(migrations: readonly Migration[], applied: SchemaFit['applied']): Migration[] {
  const isDue = ({ unusedSince = '', deferredDays = 0 }: Migration) => {
    if (deferredDays === 0 || applied.size === 0) return true;
    const since = applied.get(unusedSince);
    return since !== undefined && Date.now() - since.getTime() >= deferredDays * 86_400_000;
  };
  return migrations.filter((migration) => !applied.has(migration.recordedAs) && isDue(migration));
}

/** For the operator: why a program cannot work on tables of which it misses something. */
export function tooOld({ missing }: SchemaFit): string {
  return `the database is of a newer version, which removed what this one uses (${missing.join(', ')}): update the program`;
}
