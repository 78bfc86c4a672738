import { readdir, readFile } from 'node:fs/promises';

/** One step of the database's schema: a file of SQL in migrations/. */
export interface Migration {
  /** The file's name without its suffix. */
  readonly name: string;
  /** The name under which databases record that it was applied. */
  readonly recordedAs: string;
  readonly sql: string;
  /** It removes or restricts something that programs have not used since they know this migration (as recorded). */
  readonly unusedSince?: string;
  /**
   * How many days after `unusedSince` it is applied: until then programs of the version before may run, and be started
   * again. A new database gets it at once.
   */
  readonly deferredDays?: number;
  /** Whether it is one statement that cannot run in a transaction: an index that is made while others write. */
  readonly concurrent: boolean;
}

const folder = new URL('./migrations/', import.meta.url);

/** Released databases recorded these files under other numbers. */
const olderNames: Readonly<Record<string, string>> = {
  '0005-lease': '0010-lease',
  '0006-identity': '0020-identity',
  '0007-group-mutes': '0040-group-mutes',
  '0008-invitations': '0041-invitations',
  '0009-snapshots': '0042-snapshots',
  '0010-known-addresses': '0050-known-addresses',
  '0011-uploads': '0070-uploads',
  '0012-gateway-beats': '0080-gateway-beats',
  '0013-pushed-messages': '0081-pushed-messages',
  '0014-keys-by-person': '0090-keys-by-person',
  '0015-last-events': '0100-last-events',
  '0016-member-versions': '0101-member-versions',
};

/**
 * A line that a migration begins with if it removes or restricts something: the migration from which on programs do
 * not use that any more. Older programs cannot work beside it (CONTRIBUTING.md, Add a migration).
 */
const unused = /^-- Unused since (\S+)$/m;

/** The line after that, if it is not to be applied together with the migration that it names. */
const deferred = /^-- Deferred (\d+) days$/m;

/** All migrations, in the order in which they apply: that of their numbers. */
export async function readMigrations(): Promise<Migration[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.sql')).sort();
  return Promise.all(
    files.map(async (file) => {
      return migrationOf(file.slice(0, -'.sql'.length), await readFile(new URL(file, folder), 'utf8'));
    }),
  );
}

/** A migration by the name and the text of its file. */
export function migrationOf(name: string, sql: string): Migration {
  const [, since] = unused.exec(sql) ?? [];
  const [, days] = deferred.exec(sql) ?? [];
  return {
    ...{ name, recordedAs: recordedAs(name), sql },
    ...(since !== undefined && { unusedSince: recordedAs(since) }),
    ...(days !== undefined && { deferredDays: Number(days) }),
    concurrent: /\bconcurrently\b/i.test(sql.replaceAll(/--.*/g, '')),
  };
}

const recordedAs = (name: string) => olderNames[name] ?? name;
