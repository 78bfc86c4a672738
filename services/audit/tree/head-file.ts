import { open } from 'node:fs/promises';
import type { HeadReceiver } from './head-sender.ts';
import type { Head } from './heads.ts';

const lineBreak = 0x0a;

/** A file to which heads are appended, one after the other. */
export class HeadFile implements HeadReceiver {
  readonly failure = 'a head of the audit log could not be written to AUDIT_WITNESS';
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Appends a head, unless it is the last one in the file. Behind one that was cut by a crash or a full disk it begins a new line. */
  async send({ note }: Head): Promise<void> {
    const added = Buffer.from(`${note}\n`);
    const file = await open(this.#path, 'a+');
    try {
      const { size } = await file.stat();
      const from = Math.max(0, size - added.length);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(added.length), 0, added.length, from);
      const last = buffer.subarray(0, bytesRead);
      if (last.equals(added)) return;
      const isCut = last.length > 0 && last.at(-1) !== lineBreak;
      await file.appendFile(isCut ? Buffer.concat([Buffer.from('\n\n'), added]) : added);
    } finally {
      await file.close();
    }
  }
}
