import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { BackupOptions } from '../../services/backup/make-backup.ts';
import { restoreBackup } from '../../services/backup/restore-backup.ts';
import {
  type VerifiedBackup,
  type VerifyBackupOptions,
  verifyBackup,
} from '../../services/backup/verify-backup.ts';
import type { FileStore } from '../../services/files/file-store.ts';
import { openLocalFolder } from '../../services/files/local-folder.ts';
import type { EventLog } from '../../services/log/log.ts';
import { openPostgresLog } from '../../services/log/postgres/postgres-log.ts';
import { createPool } from '../../services/postgres/pool.ts';
import { silent } from '../support/accounts.ts';
import {
  type ApplicationOptions,
  type RunningApplication,
  startApplication,
} from '../support/application.ts';
import { client } from '../support/client.ts';
import { createEmptyDatabase } from '../support/database.ts';
import { temporaryFolder } from '../support/folder.ts';

const ignored = () => undefined;
const { signal } = new AbortController();

/** What a backup is made of, but for its folder and log. */
type Parts = Omit<BackupOptions, 'folder' | 'log'>;

/** An application with someone, and a store of uploads. */
export async function running(
  options: ApplicationOptions = {},
): Promise<{ readonly app: RunningApplication; readonly parts: Parts }> {
  const app = await startApplication(options);
  onTestFinished(() => app.stop());
  await client(app, 'tom');
  const store = await openLocalFolder(join(app.filesFolder, 'upload'));
  return { app, parts: await partsOf(app.databaseUrl, store) };
}

/** What a backup of a database and a store is made of. */
export async function partsOf(database: string, store: FileStore): Promise<Parts> {
  const dataFolder = await temporaryFolder();
  return { database, store, dataFolder, auditOrigin: 'log', signal, onEvents: ignored, onUploads: ignored };
}

/** Reads a backup as `npm run backup -- --verify` does. */
export function verified(folder: string, options: VerifyBackupOptions = {}): Promise<VerifiedBackup> {
  return verifyBackup(folder, ignored, signal, { tree: true, ...options });
}

export interface RestoreChanges {
  /** What was verified; by default the backup is read for it. */
  readonly verified?: VerifiedBackup;
  /** The database of a restore that was refused or interrupted; by default an empty one. */
  readonly url?: string;
  /** Where uploads go; by default a folder. */
  readonly store?: FileStore;
  /** Called with the log of the target; gives the one to restore into. */
  readonly wrap?: (log: EventLog) => EventLog;
}

/** Restores a backup into a database of its own. @returns its URL, and the folder of its keys and files */
export async function restored(
  folder: string,
  changes: RestoreChanges = {},
): Promise<{ readonly url: string; readonly dataFolder: string }> {
  const url = changes.url ?? (await emptyDatabase());
  const pool = createPool(url, silent);
  const dataFolder = await temporaryFolder();
  const store = changes.store ?? (await openLocalFolder(join(dataFolder, 'files', 'upload')));
  let log: EventLog | undefined;
  try {
    await restoreBackup({
      ...{ folder, pool, store, dataFolder, signal, onEvents: ignored, onUploads: ignored },
      ...{ databaseUrl: url, inEventStore: false },
      verified: changes.verified ?? (await verified(folder)),
      openLog: async () => {
        log = await openPostgresLog({ connectionString: url });
        return changes.wrap?.(log) ?? log;
      },
    });
  } finally {
    await log?.close();
    await pool.end();
  }
  return { url, dataFolder };
}

/** An empty database, dropped when the test ends. */
export async function emptyDatabase(): Promise<string> {
  const { url, drop } = await createEmptyDatabase();
  onTestFinished(drop);
  return url;
}
