import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from 'pg';
import { readKept } from '../app-keys/kept-file.ts';
import { latestHead } from '../audit/tree/heads.ts';
import type { UnreadEvents } from '../audit/tree/unread-events.ts';
import { lockFolder } from '../data-folder.ts';
import { identify } from '../edge/identify.ts';
import type { FileStore, StoredPath } from '../files/file-store.ts';
import { newIdentityName } from '../log/identity.ts';
import type { EventLog, RecordedEvent } from '../log/log.ts';
import { makeFolder } from '../make-folder.ts';
import { type DatabaseConfig, openClient, type Purpose } from '../postgres/connect.ts';
import { inTransaction } from '../postgres/transaction.ts';
import { writeDurably } from './durable-file.ts';
import { compareFromStart, extendLogFiles, openLogFiles } from './log-files.ts';
import {
  type CopiedLog,
  eventsOf,
  type Manifest,
  type NamedFile,
  placesIn,
  readManifest,
  readProgress,
  type UploadEntry,
  writeJson,
} from './manifest.ts';
import { ShownProgress } from './shown-progress.ts';
import { dumpAccounts, dumpTables } from './tables.ts';
import { copyUploads, listedUploads, writeUploadList } from './uploads.ts';

/** A page of a table, and the disk that it is written to: a snapshot of large tables may take an hour. */
const purpose: Purpose = {
  name: 'bubble-im backup',
  statementTimeoutMs: 60_000,
  settings: { transaction_timeout: '0', idle_in_transaction_session_timeout: '60000' },
};

/** The files of the data folder that hold keys. */
export const keyFiles: readonly string[] = ['app-secret', 'audit-key'];

export interface BackupOptions {
  readonly log: EventLog;
  readonly database: DatabaseConfig;
  readonly store: Pick<FileStore, 'list' | 'find'>;
  /** Where the keys are. */
  readonly dataFolder: string;
  /** The name of the audit log. */
  readonly auditOrigin: string;
  /** Where the backup goes. */
  readonly folder: string;
  /** Which looks at the events that are copied now. */
  readonly unread?: UnreadEvents;
  readonly onEvents: (events: number) => void;
  readonly onUploads: (uploads: number) => void;
  readonly signal: AbortSignal;
}

/** What came of it. */
export interface MadeBackup {
  readonly manifest: Manifest;
  /** How many events and uploads were copied now. */
  readonly newEvents: number;
  readonly newUploads: number;
}

/**
 * Backs up an installation while it runs, on from where the last backup into the folder ended or was interrupted. The
 * backup that was there stays whole until the new one is.
 *
 * The order keeps the parts consistent: accounts first exist, then the log names them, then messages name uploads. So
 * the accounts are a snapshot of one moment, the log is read to its end after that, and uploads are listed after that.
 * The accounts of people who register between the snapshot and the end of the log are added.
 * @throws Error with a message for the operator; what log, database, store and disk throw; the signal's reason
 */
export async function makeBackup(options: BackupOptions): Promise<MadeBackup> {
  const remedy = 'wait until it has ended';
  const lock = await lockFolder(options.folder, { name: 'backup folder', remedy });
  const client = await openClient(options.database, purpose);
  try {
    return await new BackupRun(options, client).run();
  } finally {
    await client.end();
    await lock.release();
  }
}

class BackupRun {
  readonly #options: BackupOptions;
  readonly #client: Client;
  readonly #places: ReturnType<typeof placesIn>;
  readonly #id = newIdentityName();
  readonly #people = new Set<number>();
  readonly #progress: ShownProgress;
  #newEvents = 0;
  #newUploads = 0;

  constructor(options: BackupOptions, client: Client) {
    this.#options = options;
    this.#client = client;
    this.#places = placesIn(options.folder);
    this.#progress = new ShownProgress(client, purpose.name);
  }

  async run(): Promise<MadeBackup> {
    this.#progress.show();
    const { folder } = this.#options;
    const before = await readManifest(folder);
    const tablesFolder = `tables-${this.#id}`;
    await makeFolder(join(folder, tablesFolder));
    let log = await this.#extend(await this.#begun(before));
    const known = await this.#knownUploads(before);
    await this.#copyUploads(known);
    this.#progress.show();
    const moment = Date.now();
    const snapshot = await this.#snapshot(join(folder, tablesFolder));
    this.#people.clear();
    log = await this.#extend(log);
    const tables = [...snapshot.tables];
    if (this.#people.size > 0) {
      tables.push(await this.#inSnapshot(() => this.#dumpLate(join(folder, tablesFolder))));
    }
    const paths = await this.#copyUploads(known);
    const manifest: Manifest = {
      ...{ format: 1, id: this.#id, moment, migrations: snapshot.migrations, log, tablesFolder, tables },
      sequences: await this.#sequences(),
      keys: await this.#keys(),
      uploads: await writeUploadList(folder, `uploads-${this.#id}.ndjson`, paths, known),
      head: snapshot.head,
    };
    await writeJson(this.#places.manifest, manifest);
    await this.#removeOlder();
    return { manifest, newEvents: this.#newEvents, newUploads: this.#newUploads };
  }

  /** What the log's files have already, under positions that are valid now. */
  async #begun(before: Manifest | undefined): Promise<CopiedLog> {
    const { log, folder, signal } = this.#options;
    // A log that no program was started on yet gets its name, as at the first start.
    if ((await log.identity()) === undefined) await identify(log, this.#client);
    const identity = await log.identity();
    if (identity === undefined) throw new Error('the log has no name: start the program once');
    const { installation, epoch } = identity;
    const copied = (await readProgress(folder)) ?? before?.log ?? { installation, epoch, files: [] };
    if (copied.installation !== installation) {
      throw new Error(
        `${folder} holds a backup of the installation ${copied.installation}, and this is ${installation}: back up ` +
          'into another folder',
      );
    }
    const opened = await openLogFiles(this.#places.log, copied);
    const last = opened.files.at(-1);
    if (last === undefined || (copied.epoch === epoch && (await holds(log, last))))
      return { ...opened, epoch };
    return {
      installation,
      epoch,
      files: await compareFromStart(opened, {
        log,
        onDone: (events) => this.#eventsDone(events),
        signal,
      }),
    };
  }

  async #extend(copied: CopiedLog): Promise<CopiedLog> {
    const { log, signal } = this.#options;
    const onDone = (events: number) => this.#eventsDone(events);
    const extended = await extendLogFiles(copied, {
      ...{ log, folder: this.#places.log, signal, onDone },
      onEvent: (event) => {
        this.#options.unread?.note(event);
        this.#note(event);
      },
      onFile: (now) => writeJson(this.#places.progress, now),
    });
    this.#newEvents += eventsOf(extended) - eventsOf(copied);
    return extended;
  }

  #eventsDone(events: number): void {
    this.#progress.add({ events });
    this.#options.onEvents(events);
  }

  /** Remembers whom the event may have given an account, or another name or phone. */
  #note({ stream }: RecordedEvent): void {
    const [, uid] = /^user-(\d+)$/.exec(stream) ?? [];
    if (uid !== undefined) this.#people.add(Number(uid));
  }

  async #knownUploads(before: Manifest | undefined): Promise<Map<StoredPath, UploadEntry>> {
    const known = new Map<StoredPath, UploadEntry>();
    if (before === undefined) return known;
    for await (const entry of listedUploads(join(this.#options.folder, before.uploads.name))) {
      known.set(entry.path, entry);
    }
    return known;
  }

  async #copyUploads(known: Map<StoredPath, UploadEntry>): Promise<StoredPath[]> {
    const { store, onUploads, signal } = this.#options;
    await makeFolder(this.#places.uploads);
    const onCopied = (uploads: number) => {
      this.#newUploads += uploads;
      this.#progress.add({ uploads });
      onUploads(uploads);
    };
    return copyUploads(store, this.#places.uploads, known, onCopied, signal);
  }

  async #snapshot(folder: string): Promise<Pick<Manifest, 'tables' | 'migrations' | 'head'>> {
    return this.#inSnapshot(async () => {
      const { rows } = await this.#client.query<{ name: string }>(
        'select name from kysely_migration order by name',
      );
      const tables = await dumpTables(this.#client, folder);
      return { tables, migrations: rows.map(({ name }) => name), head: await this.#head() };
    });
  }

  async #dumpLate(folder: string) {
    return dumpAccounts(this.#client, folder, [...this.#people]);
  }

  #inSnapshot<Result>(read: () => Promise<Result>): Promise<Result> {
    return inTransaction(this.#client, read, 'begin isolation level repeatable read read only');
  }

  async #head(): Promise<string | null> {
    const { rows: tables } = await this.#client.query<{ there: boolean }>(
      `select to_regclass('audit.heads') is not null as there`,
    );
    if (!tables[0]?.there) return null;
    return (await latestHead(this.#client, this.#options.auditOrigin))?.note ?? null;
  }

  /** Read last, so that no id in the backup is greater. */
  async #sequences(): Promise<Manifest['sequences']> {
    const { rows } = await this.#client.query<Record<keyof Manifest['sequences'], string>>(
      `select uid.last_value as uid, a.last_value as "applicationId", r.last_value as "replyId", m.last_value as mid
         from accounts.uid uid, accounts.application_id a, accounts.reply_id r, accounts.mid m`,
    );
    const [row] = rows;
    if (row === undefined) throw new Error('the sequences cannot be read');
    const { uid, applicationId, replyId, mid } = row;
    return {
      ...{ uid: Number(uid), applicationId: Number(applicationId) },
      ...{ replyId: Number(replyId), mid: Number(mid) },
    };
  }

  async #keys(): Promise<NamedFile[]> {
    const { dataFolder } = this.#options;
    await makeFolder(this.#places.keys);
    const keys: NamedFile[] = [];
    for (const name of keyFiles) {
      const text = await readKept(join(dataFolder, name));
      if (text !== undefined)
        keys.push({ name, ...(await writeDurably(join(this.#places.keys, name), [text])) });
    }
    return keys;
  }

  /** Removes what only earlier backups named, and what interrupted ones left. */
  async #removeOlder(): Promise<void> {
    const { folder } = this.#options;
    for (const name of await readdir(folder)) {
      const older = /^(?:tables-[0-9a-f]{12}|uploads-[0-9a-f]{12}\.ndjson)$|\.draft$/.test(name);
      if (older && !name.includes(this.#id)) await rm(join(folder, name), { recursive: true });
    }
  }
}

/** Whether the log has the last event of the files at its position. */
async function holds(log: EventLog, { lastId, lastPosition }: CopiedLog['files'][number]): Promise<boolean> {
  try {
    return (await log.idAt(lastPosition)) === lastId;
  } catch (error) {
    // A position of another kind of log: the installation was moved.
    if (error instanceof TypeError) return false;
    throw error;
  }
}
