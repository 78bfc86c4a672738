import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readKept } from '../../app-keys/kept-file.ts';
import { reasonOf } from '../../error-reason.ts';
import { whileWriting } from '../../file-failure.ts';
import { type Hash, hashBytes } from '../tree/hashes.ts';

/*
 * export.json, which an export writes beside its events at the end: what they are held against when they are imported
 * (docs/operations.md, Copying the log into another store).
 */

/** The name of the file. */
export const recordName = 'export.json';

/** A hash in base64. */
const hash = z
  .base64()
  .transform((text): Hash => Buffer.from(text, 'base64'))
  .refine((bytes) => bytes.length === hashBytes, 'must be a hash of 32 bytes in base64');

const format = z.literal(1, 'is of a format that this version does not know');

const FinishedExport = z.object({
  format,
  finished: z.literal(true),
  /** How many events were exported, and the root of the Merkle tree over them. */
  events: z.int().positive(),
  root: hash,
  /** How many events of the log were left out, as they have the id of an earlier one of their stream. */
  leftOut: z.int().nonnegative().default(0),
  /** The hash of each 256 events, the last of which may be fewer. */
  tiles: z.array(hash),
  /** A head that the installation signed of its log; null if there was none. */
  head: z
    .object({
      /** A C2SP checkpoint, as a signed note. */
      note: z.string(),
      /** By whose key it is signed; null if the key was not known where the log was exported. */
      verifier: z.string().nullable(),
      /** If the head has more events than were exported: the proof that these are its first ones (RFC 6962, 2.1.2). */
      consistency: z.array(hash),
    })
    .nullable(),
});
export type FinishedExport = z.infer<typeof FinishedExport>;

const ExportRecord = z.discriminatedUnion('finished', [
  FinishedExport,
  z.object({ format, finished: z.literal(false) }),
]);

/** The record of an export, which may not be finished; undefined if the folder has none. @throws Error if it is damaged */
export async function readExportRecord(folder: string): Promise<z.infer<typeof ExportRecord> | undefined> {
  const file = join(folder, recordName);
  const text = await readKept(file);
  if (text === undefined) return undefined;
  try {
    return ExportRecord.parse(JSON.parse(text));
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? reasonOf(cause) : 'it is no JSON';
    throw new Error(`${file} is damaged: ${reason}`, { cause });
  }
}

/** Notes that an export has begun, unless one was finished before: that one is held against until this one is. */
export async function beginExport(folder: string): Promise<void> {
  if ((await readKept(join(folder, recordName))) !== undefined) return;
  await write(folder, { format: 1, finished: false });
}

/** Notes what was exported. @throws FileFailure; the file is then as it was */
export async function finishExport(
  folder: string,
  { events, root, leftOut, tiles, head }: Omit<FinishedExport, 'format' | 'finished'>,
): Promise<void> {
  await write(folder, {
    ...{ format: 1, finished: true, events, root: base64(root), leftOut },
    tiles: tiles.map(base64),
    head: head && { ...head, consistency: head.consistency.map(base64) },
  });
}

function base64(bytes: Hash): string {
  return Buffer.from(bytes).toString('base64');
}

async function write(folder: string, record: z.input<typeof ExportRecord>): Promise<void> {
  const file = join(folder, recordName);
  const unfinished = `${file}.unfinished`;
  await whileWriting(file, writeWhole(unfinished, `${JSON.stringify(record, undefined, 2)}\n`));
  await whileWriting(file, rename(unfinished, file));
}

async function writeWhole(file: string, text: string): Promise<void> {
  await using handle = await open(file, 'w', 0o600);
  await handle.writeFile(text);
  await handle.sync();
}
