import { open } from 'node:fs/promises';
import type { HeadReceiver } from './head-sender.ts';
import type { Head } from './heads.ts';

/** A file to which heads are appended, one after the other. */
export class HeadFile implements HeadReceiver {
  readonly failure = 'a head of the audit log could not be written to AUDIT_WITNESS';
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Appends a head, unless it is the last one in the file. */
  async send({ note }: Head): Promise<void> {
    const added = Buffer.from(`${note}\n`);
    const file = await open(this.#path, 'a+');
    try {
      const { size } = await file.stat();
      const from = Math.max(0, size - added.length);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(added.length), 0, added.length, from);
      if (!buffer.subarray(0, bytesRead).equals(added)) await file.appendFile(added);
    } finally {
      await file.close();
    }
  }
}
