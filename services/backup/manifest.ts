import { join } from 'node:path';
import { z } from 'zod';
import { readKept } from '../app-keys/kept-file.ts';
import { reasonOf } from '../error-reason.ts';
import type { EventId, Position } from '../log/log.ts';
import { writeDurably } from './durable-file.ts';

/* What lies in the folder of a backup, and what it is called. */

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const size = z.int().nonnegative();
/** A name in the folder that leads nowhere else. */
const plainName = z.string().regex(/^[\w.-]+$/);

/** A file of the log: its first `bytes` bytes belong to the backup. */
const LogFile = z.object({
  name: plainName,
  events: size,
  bytes: size,
  sha256,
  /** The root of the Merkle tree over its events, in base64. */
  root: z.string(),
  /** The last event, and its position in the log that was backed up. */
  lastId: z.string().transform((id) => id as EventId),
  lastPosition: z.string().transform((position) => position as Position),
});
export type LogFile = z.infer<typeof LogFile>;

/** The log as far as it was copied. */
const CopiedLog = z.object({
  installation: z.string(),
  /** That of the log's positions in `files`. */
  epoch: z.string(),
  files: z.array(LogFile),
});
export type CopiedLog = z.infer<typeof CopiedLog>;

const TableFile = z.object({
  table: z.string(),
  /** Whether its rows go before those of the same table that came earlier. */
  replaces: z.boolean(),
  columns: z.array(z.string()),
  rows: size,
  name: plainName,
  bytes: size,
  sha256,
});
export type TableFile = z.infer<typeof TableFile>;

const NamedFile = z.object({ name: plainName, bytes: size, sha256 });
export type NamedFile = z.infer<typeof NamedFile>;

const Manifest = z.object({
  format: z.literal(1, 'is of a format that this version does not know'),
  /** Names this backup among those that were made into the folder. */
  id: z.string(),
  /** Everything that was acknowledged before this moment is in the backup; in milliseconds since 1970. */
  moment: z.int(),
  /** The migrations of the database, as it records them. */
  migrations: z.array(z.string()),
  log: CopiedLog,
  /** The folder of the tables' files. */
  tablesFolder: plainName,
  tables: z.array(TableFile),
  /** The last id that each sequence gave. */
  sequences: z.object({ uid: size, applicationId: size, replyId: size, mid: size }),
  keys: z.array(NamedFile),
  /** The list of uploads, with the hash of each. */
  uploads: NamedFile.extend({ count: size }),
  /** The last signed head of the audit log; null if there is none. */
  head: z.string().nullable(),
});
export type Manifest = z.infer<typeof Manifest>;

/** An entry of the list of uploads. */
export const UploadEntry = z.object({ path: z.string(), bytes: size, sha256 });
export type UploadEntry = z.infer<typeof UploadEntry>;

/** What a backup has in its folder from its beginning. */
const partNames = /^(?:manifest\.json|log-progress\.json|tables-[0-9a-f]{12})$/;

/** Whether a name in a folder says that it holds a backup, which may not have come to its end. */
export function isOfBackup(name: string): boolean {
  return partNames.test(name);
}

/** Where the parts of a backup are. */
export function placesIn(folder: string) {
  return {
    manifest: join(folder, 'manifest.json'),
    /** How far the log was copied by a backup that may not have come to its end. */
    progress: join(folder, 'log-progress.json'),
    log: join(folder, 'log'),
    keys: join(folder, 'keys'),
    uploads: join(folder, 'uploads'),
  } as const;
}

/** How many events a log has. */
export function eventsOf({ files }: Pick<CopiedLog, 'files'>): number {
  return files.reduce((sum, { events }) => sum + events, 0);
}

/** The manifest of a backup; undefined if the folder holds none. @throws Error if it cannot be read */
export function readManifest(folder: string): Promise<Manifest | undefined> {
  return readJson(placesIn(folder).manifest, Manifest);
}

/** How far the log was copied; undefined if nothing was. @throws Error if it cannot be read */
export function readProgress(folder: string): Promise<CopiedLog | undefined> {
  return readJson(placesIn(folder).progress, CopiedLog);
}

/** Writes a manifest or the progress: as a whole or not at all. */
export async function writeJson(file: string, value: Manifest | CopiedLog): Promise<void> {
  await writeDurably(file, [`${JSON.stringify(value, undefined, 2)}\n`]);
}

async function readJson<Value>(file: string, schema: z.ZodType<Value>): Promise<Value | undefined> {
  const text = await readKept(file);
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? reasonOf(cause) : 'it is no JSON';
    throw new Error(`${file} is damaged: ${reason}`, { cause });
  }
}
