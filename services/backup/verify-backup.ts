import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { leafOf } from '../audit/copy/copied-tree.ts';
import { SeenIds } from '../audit/index/seen-ids.ts';
import { findAuditSigner } from '../audit/tree/audit-key.ts';
import { type Checkpoint, readCheckpointText } from '../audit/tree/checkpoint.ts';
import { GrowingTree } from '../audit/tree/growing-tree.ts';
import { sameHash, treeHash } from '../audit/tree/hashes.ts';
import { openHead } from '../audit/tree/heads.ts';
import { isSignedBy, type NoteVerifier, readNote, verifierOf } from '../audit/tree/note.ts';
import { hashOf } from './durable-file.ts';
import { backedUpEvents, eventsOfFile, rootOfFile, rootOfFiles } from './log-files.ts';
import { eventsOf, type LogFile, type Manifest, placesIn, readManifest } from './manifest.ts';
import { listedUploads } from './uploads.ts';

/** A backup whose files are all as its manifest says. */
export interface VerifiedBackup {
  readonly manifest: Manifest;
  readonly events: number;
  /** The root of the Merkle tree over all events, in base64. */
  readonly root: string;
}

export interface VerifyBackupOptions {
  /** By whose key the head must be signed. */
  readonly verifier?: NoteVerifier | undefined;
  /** Whether the tree over the events is made anew, beside the hashes of their files. */
  readonly tree?: boolean;
}

/**
 * Reads a backup as a whole and compares each file with its hash.
 * @param onDone called with the number of files that were read since the last time
 * @throws Error that names the first file that is damaged; the signal's reason
 */
export async function verifyBackup(
  folder: string,
  onDone: (files: number) => void,
  signal: AbortSignal,
  { verifier, tree = false }: VerifyBackupOptions = {},
): Promise<VerifiedBackup> {
  const manifest = await readManifest(folder);
  if (manifest === undefined) {
    throw new Error(
      `there is no backup in ${folder}: it has no manifest.json, which is written at the end of one`,
    );
  }
  const places = placesIn(folder);
  const check = async (file: string, expected: { readonly bytes: number; readonly sha256: string }) => {
    signal.throwIfAborted();
    await mustHaveHash(file, expected);
    onDone(1);
  };
  for (const [index, file] of manifest.log.files.entries()) {
    await check(join(places.log, file.name), file);
    if (tree)
      await mustHaveRoot(places.log, file, eventsOf({ files: manifest.log.files.slice(0, index) }), signal);
  }
  for (const file of manifest.tables) await check(join(folder, manifest.tablesFolder, file.name), file);
  for (const file of manifest.keys) await check(join(places.keys, file.name), file);
  const list = join(folder, manifest.uploads.name);
  await check(list, manifest.uploads);
  for await (const entry of listedUploads(list)) await check(join(places.uploads, entry.path), entry);
  if (manifest.head !== null) {
    await mustFitHead(folder, manifest, manifest.head);
    await mustBeSigned(places.keys, manifest.head, verifier);
  } else if (verifier) {
    throw new Error(`${folder} holds no signed head to hold its events against (--verifier)`);
  }
  const root = rootOfFiles(manifest.log.files);
  return { manifest, events: eventsOf(manifest.log), root: Buffer.from(root).toString('base64') };
}

async function mustHaveHash(
  file: string,
  { bytes, sha256 }: { readonly bytes: number; readonly sha256: string },
): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) throw new Error(`${file} is missing from the backup`);
  if (found.size < bytes) {
    throw new Error(`${file} is damaged: it has ${found.size} bytes, and had ${bytes} when it was written`);
  }
  const actual = Buffer.from(await hashOf(file, bytes), 'hex');
  if (sameHash(actual, Buffer.from(sha256, 'hex'))) return;
  throw new Error(`${file} is damaged: its content is not what was written to it`);
}

/** @throws Error if the events of a file of the log are others than those that were written to it */
async function mustHaveRoot(
  folder: string,
  file: LogFile,
  first: number,
  signal: AbortSignal,
): Promise<void> {
  const tree = new GrowingTree();
  for await (const event of eventsOfFile(folder, file, first)) {
    signal.throwIfAborted();
    tree.append(leafOf(event));
  }
  if (tree.size === file.events && sameHash(tree.root(), rootOfFile(file))) return;
  throw new Error(
    `${join(folder, file.name)} is damaged: its events, number ${first} to ${first + file.events - 1}, are not those that were ` +
      'backed up',
  );
}

/**
 * @param keys the folder of the backup's keys, whose own key may have signed the head
 * @throws Error if the verifier, which was given, has not signed the head, or a signature is not that of its text
 */
async function mustBeSigned(keys: string, head: string, verifier: NoteVerifier | undefined): Promise<void> {
  if (verifier) return void openHead(head, verifier);
  const note = readNote(head);
  const { origin } = readCheckpointText(note.text);
  const signer = await findAuditSigner({ dataFolder: keys, auditKey: undefined, auditOrigin: origin });
  if (signer) isSignedBy(note, verifierOf(signer));
}

/** @throws Error if the events are not those of the head of the audit log that was signed last */
async function mustFitHead(folder: string, { log: { files } }: Manifest, head: string): Promise<void> {
  const { size, root } = readCheckpointText(readNote(head).text);
  const before: LogFile[] = [];
  let events = 0;
  for (const file of files) {
    if (events + file.events > size) break;
    before.push(file);
    events += file.events;
  }
  const roots = before.length > 0 ? before.map(rootOfFile) : [];
  const next = files[before.length];
  const rest = new GrowingTree();
  if (events < size && next !== undefined) {
    for await (const event of eventsOfFile(placesIn(folder).log, next, events)) {
      if (rest.size === size - events) break;
      rest.append(leafOf(event));
    }
    roots.push(rest.root());
  }
  if (events + rest.size === size && sameHash(treeHash(roots), root)) return;
  await mustHoldNoIdAgain(placesIn(folder).log, files, { size, root });
  throw new Error(
    `the first ${size} events of the log are not those of the head of the audit log that was signed for them: the log ` +
      'was changed before it was backed up',
  );
}

/**
 * Looks for what explains that events are not those of a head: the tree holds the first event of an id alone.
 * @throws Error if they are those of the head but for events that have the id of an earlier one of their stream
 */
async function mustHoldNoIdAgain(
  folder: string,
  files: readonly LogFile[],
  head: Pick<Checkpoint, 'size' | 'root'>,
): Promise<void> {
  const [tree, seen] = [new GrowingTree(), new SeenIds()];
  const again: string[] = [];
  for await (const event of backedUpEvents(folder, files)) {
    if (tree.size === head.size) break;
    if (seen.add(event) === undefined) tree.append(leafOf(event));
    else again.push(`${event.stream}@${event.revision}`);
  }
  const [first] = again;
  if (first === undefined || tree.size !== head.size || !sameHash(tree.root(), head.root)) return;
  throw new Error(
    `the log holds ${again.length === 1 ? 'an event' : `${again.length} events`} under the id of an earlier one of the same stream, ` +
      `as ${first}; no other store takes that, so that this backup cannot be restored: back up the files of EventStoreDB themselves`,
  );
}
