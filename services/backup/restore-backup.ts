import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import type { Client } from 'pg';
import { categories, readModelCategories } from '../../contracts/events/index.ts';
import { firstReplacedMid } from '../../contracts/ids.ts';
import { migrate } from '../../projections/migrate.ts';
import { readMigrations } from '../../projections/migrations.ts';
import { accountsDatabase } from '../accounts/accounts-tables.ts';
import { createIds, type GreatestIds } from '../accounts/ids.ts';
import { readKept } from '../app-keys/kept-file.ts';
import { copyLog } from '../audit/copy/copy-log.ts';
import { logCopy } from '../audit/copy/log-copy.ts';
import { greaterIds, UsedIds } from '../commands/used-ids.ts';
import type { FileStore } from '../files/file-store.ts';
import { newIdentityName } from '../log/identity.ts';
import { type EventLog, startOfLog } from '../log/log.ts';
import { openClient, type Purpose } from '../postgres/connect.ts';
import { inTransaction } from '../postgres/transaction.ts';
import { writeDurably } from './durable-file.ts';
import { backedUpEvents } from './log-files.ts';
import { type Manifest, placesIn } from './manifest.ts';
import { beginRestore, endRestore, markLoaded, type RestoreMark, readRestoreMark } from './restore-mark.ts';
import { loadTable } from './tables.ts';
import { restoreUploads } from './uploads.ts';
import type { VerifiedBackup } from './verify-backup.ts';

/** Deleting and inserting a page of rows; the transaction reads files in between. */
const purpose: Purpose = {
  name: 'bubble-im restore',
  statementTimeoutMs: 60_000,
  settings: { transaction_timeout: '0', idle_in_transaction_session_timeout: '60000' },
};

/**
 * Ids that may have been given after the backup, and that clients remember: they are not given to others. For
 * messages these are those of a day at 1,000 a second.
 */
const gap: GreatestIds = { uid: 10_000, applicationId: 100_000, replyId: 10_000, mid: 100_000_000 };

export interface RestoreOptions {
  readonly folder: string;
  /** What `verifyBackup` found in it. */
  readonly verified: VerifiedBackup;
  readonly databaseUrl: string;
  readonly pool: pg.Pool;
  /** Opens the log of the target, which the caller closes. */
  readonly openLog: () => Promise<EventLog>;
  /** Whether that log is in an EventStoreDB, not in the database. */
  readonly inEventStore: boolean;
  readonly store: Pick<FileStore, 'add' | 'find'>;
  /** Where keys and files go; locked by the caller. */
  readonly dataFolder: string;
  readonly onEvents: (events: number) => void;
  readonly onUploads: (uploads: number) => void;
  readonly signal: AbortSignal;
}

/** What came of it. */
export interface Restored {
  /** How many events were there before, from a run that was interrupted. */
  readonly eventsBefore: number;
}

/**
 * Restores a backup into an installation in which nothing is, or goes on with one that was interrupted. The log gets
 * another epoch, so that clients load afresh; the projector makes the read models at the next start.
 * @throws Error with a message for the operator; what log, database, store and disk throw; the signal's reason
 */
export async function restoreBackup(options: RestoreOptions): Promise<Restored> {
  const { manifest } = options.verified;
  await mustKnowMigrations(manifest);
  const client = await openClient(options.databaseUrl, purpose);
  try {
    await mustBeAlone(client);
    const mark = await readRestoreMark(client);
    if (mark !== undefined && mark.backup !== manifest.id) {
      throw new Error(
        `a restore of another backup (${mark.backup}; this one is ${manifest.id}) was interrupted here: go on with ` +
          'that one, or give an empty database',
      );
    }
    await mustKeepKeys(options);
    if (mark === undefined) await mustBeEmptyDatabase(client);
    const eventStore = options.inEventStore ? await options.openLog() : undefined;
    if (mark === undefined && eventStore !== undefined) await mustBeEmptyLog(eventStore);
    return await restoreInto(client, eventStore, mark ?? (await beginRestore(client, manifest.id)), options);
  } finally {
    await client.end();
  }
}

async function restoreInto(
  client: Client,
  eventStore: EventLog | undefined,
  mark: RestoreMark,
  options: RestoreOptions,
): Promise<Restored> {
  const { folder, verified, databaseUrl, store, dataFolder, onUploads, signal } = options;
  const { manifest } = verified;
  const places = placesIn(folder);
  await restoreKeys(options);
  await restoreUploads({
    ...{ list: join(folder, manifest.uploads.name), folder: places.uploads, store, signal },
    ...{ incoming: join(dataFolder, 'files', 'incoming'), onDone: onUploads },
  });
  if (!mark.loaded) {
    // Rows of an older version go into its tables, which the later migrations then change.
    await migrate(databaseUrl, { wanted: manifest.migrations });
    await inTransaction(client, async () => {
      for (const file of manifest.tables) await loadTable(client, join(folder, manifest.tablesFolder), file);
      await markLoaded(client);
    });
  }
  await migrate(databaseUrl);
  // A log in the database needs its tables.
  const log = eventStore ?? (await options.openLog());
  const { before, used } = await restoreLog(log, options);
  const ids = createIds(accountsDatabase(options.pool), async () => used);
  await ids.raiseAbove(plusGap(greaterIds(used, manifest.sequences)));
  const { installation } = manifest.log;
  const identity = await log.found({ installation, epoch: newIdentityName() });
  // Read models that are made anew push nothing of what lies in the log already.
  await client.query(
    `update followers.checkpoint set installation = $1, epoch = $2, quiet_until = $3
      where name = 'read' and position = ''`,
    [identity.installation, identity.epoch, await log.end(readModelCategories)],
  );
  await endRestore(client);
  return { eventsBefore: before };
}

/** Copies the log, and compares it with the backup at the end. */
async function restoreLog(
  log: EventLog,
  { folder, verified, onEvents, signal }: RestoreOptions,
): Promise<{ readonly before: number; readonly used: GreatestIds }> {
  const { files } = verified.manifest.log;
  const used = new UsedIds(firstReplacedMid);
  const source = {
    async *events() {
      for await (const event of backedUpEvents(placesIn(folder).log, files)) {
        used.apply(event);
        yield event;
      }
    },
  };
  const { before, root } = await copyLog(source, logCopy(log), onEvents, signal);
  if (Buffer.from(root).toString('base64') !== verified.root) {
    throw new Error(
      'the restored log has another root than the backup: give an empty database, and begin again',
    );
  }
  return { before, used: used.greatest };
}

function plusGap({ uid, applicationId, replyId, mid }: GreatestIds): GreatestIds {
  return {
    ...{ uid: uid + gap.uid, applicationId: applicationId + gap.applicationId },
    ...{ replyId: replyId + gap.replyId, mid: mid + gap.mid },
  };
}

async function restoreKeys({ folder, verified, dataFolder }: RestoreOptions): Promise<void> {
  for (const { name } of verified.manifest.keys) {
    const file = join(dataFolder, name);
    if (existsSync(file)) continue;
    await writeDurably(file, [await readFile(join(placesIn(folder).keys, name))]);
  }
}

/** @throws Error if the target has another key under the name of one of the backup */
async function mustKeepKeys({ folder, verified, dataFolder }: RestoreOptions): Promise<void> {
  for (const { name } of verified.manifest.keys) {
    const there = await readKept(join(dataFolder, name));
    const kept = await readKept(join(placesIn(folder).keys, name));
    if (there === undefined || there === kept) continue;
    throw new Error(
      `${join(dataFolder, name)} is another key than that of the backup: move it away, and restore again; nothing was changed`,
    );
  }
}

/** @throws Error if the backup was made by a newer version */
async function mustKnowMigrations({ migrations }: Manifest): Promise<void> {
  const known = new Set((await readMigrations()).map(({ recordedAs }) => recordedAs));
  const unknown = migrations.filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  throw new Error(
    `the backup is of a newer version, which applied ${unknown.join(', ')}: update the program`,
  );
}

/** How long connections of a process that was just killed may take to end. */
const leftoverMs = 5_000;

/** @throws Error if programs of ours are connected to the database */
async function mustBeAlone(client: Client): Promise<void> {
  for (const until = performance.now() + leftoverMs; ; await delay(100)) {
    const { rows } = await client.query<{ names: string | null }>(
      `select string_agg(distinct application_name, ', ') as names from pg_stat_activity
        where datname = current_database() and application_name like 'bubble-im%' and pid <> pg_backend_pid()`,
    );
    const names = rows[0]?.names;
    if (!names) return;
    if (performance.now() < until) continue;
    throw new Error(
      `programs are connected to the database (${names}): stop them first; nothing was changed`,
    );
  }
}

function notEmpty(what: string): Error {
  return new Error(`the target is not empty: ${what}. Restore into a new installation; nothing was changed`);
}

/** @throws Error if there are accounts or events, or the log has a name */
async function mustBeEmptyDatabase(client: Client): Promise<void> {
  for (const table of ['accounts.accounts', 'log.events', 'log.identity']) {
    const { rows: found } = await client.query<{ there: boolean }>(
      'select to_regclass($1) is not null as there',
      [table],
    );
    if (!found[0]?.there) continue;
    const { rows } = await client.query(`select from ${table} limit 1`);
    if (rows.length > 0) throw notEmpty(`the table ${table} has rows`);
  }
}

/** The same of a log in an EventStoreDB. */
async function mustBeEmptyLog(log: EventLog): Promise<void> {
  if ((await log.end(categories)) !== startOfLog) throw notEmpty('the event store has events of ours');
  if ((await log.identity()) !== undefined) throw notEmpty('an installation has used the event store before');
}
