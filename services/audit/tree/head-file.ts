import { type FileHandle, open } from 'node:fs/promises';
import type { Checkpoint } from './checkpoint.ts';
import type { HeadReceiver } from './head-sender.ts';
import type { Head } from './heads.ts';
import { keptHeadsIn } from './kept-heads.ts';
import type { NoteVerifier } from './note.ts';
import type { OwnTree } from './own-tree.ts';

const lineBreak = 0x0a;

/** How much of the end of the file is read at the start, in bytes: some 250 heads, or fewer if they are cosigned. */
const endBytes = 65_536;

export interface HeadFileOptions {
  readonly path: string;
  /** Whose heads in the file are those of this log; it may have others too. */
  readonly verifier: NoteVerifier;
  readonly tree: OwnTree;
}

/** A file to which heads are appended, one after the other. */
export class HeadFile implements HeadReceiver {
  readonly failure = 'a head of the audit log could not be written to AUDIT_WITNESS';
  readonly #options: HeadFileOptions;
  /** The last head in the file, once it was found to be of this log. */
  #known: Checkpoint | undefined;

  constructor(options: HeadFileOptions) {
    this.#options = options;
  }

  /**
   * Appends a head, unless the file has it, or one of more events. Behind one that was cut by a crash or a full disk it
   * begins a new line.
   * @throws Contradiction if the last head in the file is not of this log; Error if a file cannot be read or written
   */
  async send(head: Head): Promise<void> {
    const { path, tree } = this.#options;
    const file = await open(path, 'a+');
    try {
      const end = await lastBytes(file, this.#known ? 1 : endBytes);
      const last = this.#known ?? this.#greatestIn(end);
      this.#known = undefined;
      if (last) await tree.mustHold(path, last);
      this.#known = last;
      if (last && last.size >= head.size) return;
      const added = Buffer.from(`${head.note}\n`);
      const isCut = end.length > 0 && end.at(-1) !== lineBreak;
      await file.appendFile(isCut ? Buffer.concat([Buffer.from('\n\n'), added]) : added);
      this.#known = head;
    } finally {
      await file.close();
    }
  }

  /** The head of the most events, the first of several. */
  #greatestIn(end: Buffer): Checkpoint | undefined {
    const { heads } = keptHeadsIn(end.toString(), this.#options.verifier);
    return heads.toSorted((one, other) => other.size - one.size)[0];
  }
}

/** The last bytes of a file, or all of it. */
async function lastBytes(file: FileHandle, bytes: number): Promise<Buffer> {
  const { size } = await file.stat();
  const from = Math.max(0, size - bytes);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
  return buffer.subarray(0, bytesRead);
}
