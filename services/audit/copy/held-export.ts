import { join } from 'node:path';
import { type Checkpoint, readCheckpointText } from '../tree/checkpoint.ts';
import { type Hash, sameHash, treeHash } from '../tree/hashes.ts';
import { openHead } from '../tree/heads.ts';
import { isSignedBy, type NoteVerifier, readNote, readVerifierKey } from '../tree/note.ts';
import { isConsistent } from '../tree/proofs.ts';
import { CopiedTree, eventsOfTile, leafOf } from './copied-tree.ts';
import { type FinishedExport, readExportRecord, recordName } from './export-record.ts';
import { eventFileName, eventsInFile, folderCopy } from './folder-copy.ts';
import { StreamGaps } from './stream-gaps.ts';

/** By whose key a head is signed: one that was given or is known here, one that the folder names, or none is known. */
export type SignedBy = 'known' | 'named by the folder' | 'not verified';

/** The events of an exported folder, which are what its record says. */
export interface HeldExport {
  readonly size: number;
  readonly root: Hash;
  /** Undefined if the folder has no record, as those of earlier versions. */
  readonly record: FinishedExport | undefined;
  /** The signed head that they are of, or are the first of; undefined if there is none. */
  readonly head: (Checkpoint & { readonly signedBy: SignedBy }) | undefined;
}

export interface HoldOptions {
  readonly folder: string;
  /** By whose key the head must be signed. */
  readonly given?: NoteVerifier | undefined;
  /** A key that is known here, which counts if it has signed the head. */
  readonly known?: NoteVerifier | undefined;
  readonly onRead: (events: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Reads an exported folder and holds its events against its record: the hashes of all that was exported, and the head that
 * the installation signed.
 * @throws Error that says what differs and where; StoreCannotHold if no log can hold what is there; the signal's reason
 */
export async function holdExport(options: HoldOptions): Promise<HeldExport> {
  const { folder, given, onRead, signal } = options;
  const record = await readExportRecord(folder);
  if (record?.finished === false) {
    throw new Error(
      `the export into ${folder} has not come to its end: run it again, and it goes on; to import what is there all the ` +
        `same, remove ${recordName}`,
    );
  }
  if (given && !record?.head)
    throw new Error(`${folder} holds no signed head to hold its events against (--verifier)`);
  const head = record?.head ? headOf(record.head, options) : undefined;
  const tree = new CopiedTree([...(record ? [record.events] : []), ...(head ? [head.size] : [])]);
  const gaps = record && record.leftOut > 0 ? new StreamGaps() : undefined;
  for await (const event of folderCopy(folder).events()) {
    signal.throwIfAborted();
    gaps?.mustFollow(event);
    tree.append(leafOf(event));
    onRead(1);
  }
  if (record) mustBeWhatWasExported(folder, tree, record);
  if (record?.head && head) mustBeOf(folder, tree, head, record.head.consistency);
  return { size: tree.size, root: tree.root(), record, head };
}

function headOf({ note, verifier }: NonNullable<FinishedExport['head']>, { given, known }: HoldOptions) {
  if (given) return { ...openHead(note, given), signedBy: 'known' } as const;
  if (known && isSignedBy(readNote(note), known))
    return { ...openHead(note, known), signedBy: 'known' } as const;
  if (verifier !== null)
    return { ...openHead(note, readVerifierKey(verifier)), signedBy: 'named by the folder' } as const;
  return { ...readCheckpointText(readNote(note).text), signedBy: 'not verified' } as const;
}

/** In place of a hash that is not there. */
const noHash = new Uint8Array();

/** @throws Error if the events are others than those that were exported */
function mustBeWhatWasExported(
  folder: string,
  tree: CopiedTree,
  { events, root, tiles }: FinishedExport,
): void {
  if (!sameHash(treeHash(tiles), root)) {
    throw new Error(`${join(folder, recordName)} is damaged: its root is not that of its tiles`);
  }
  const counts = `it has ${tree.size} events, and had ${events} when its export ended`;
  if (sameHash(tree.rootAt(events) ?? noHash, root)) {
    if (tree.size === events) return;
    throw new Error(
      `${folder} is not what was exported: ${counts}; those behind were added, or come of an export that was interrupted: ` +
        'run it again, and it goes on',
    );
  }
  const found = tree.tiles();
  const index = tiles.findIndex((tile, place) => !sameHash(tile, found[place] ?? noHash));
  const differs = `${whereIs(index, events)} are not those that were exported${tree.size < events ? ', or are missing' : ''}`;
  throw new Error(
    `${folder} is not what was exported: ${tree.size === events ? '' : `${counts}; `}the events ${differs}`,
  );
}

/** Names the events of a tile, and where they are. */
function whereIs(index: number, events: number): string {
  const { first, last } = eventsOfTile(index);
  const end = Math.min(last, events - 1);
  // A tile lies in one file.
  const begins = first - (first % eventsInFile);
  return `number ${first} to ${end} (${eventFileName(begins)}, lines ${first - begins + 1} to ${end - begins + 1})`;
}

/** @throws Error if the events are not of a head, as far as both go */
function mustBeOf(folder: string, tree: CopiedTree, head: Checkpoint, consistency: readonly Hash[]): void {
  const { size, root } = tree.size < head.size ? { size: tree.size, root: tree.root() } : head;
  const covered =
    tree.size < head.size
      ? isConsistent({ size, root }, head, consistency)
      : sameHash(tree.rootAt(head.size) ?? noHash, head.root);
  if (covered) return;
  throw new Error(
    `the first ${size} events in ${folder} are not those of the log that ${head.origin} signed a head of: they were changed ` +
      `before they were exported, or ${recordName} was changed with them`,
  );
}

/** Which of the events a signed head covers, in a sentence. */
export function coverageInWords(size: number, head: Checkpoint | undefined): string {
  if (!head) return 'No head that was signed covers them.';
  if (head.size >= size) return `A head that ${head.origin} signed covers all of them.`;
  return `A head that ${head.origin} signed covers the first ${head.size} of them.`;
}
