import type { Hash } from './hashes.ts';
import { hashBytes } from './hashes.ts';

/** A head of the tree: how many leaves it has, and their root. */
export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Hash;
}

/** The text of a checkpoint (C2SP tlog-checkpoint), which is then signed. */
export function checkpointText({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`;
}

/** Reads the text of a checkpoint. @throws Error if it is none, in words for who gave it */
export function readCheckpointText(text: string): Checkpoint {
  const [, origin = '', size = '', encoded = ''] = /^(.+)\n(0|[1-9]\d{0,15})\n(\S+)\n/.exec(text) ?? [];
  const root = Buffer.from(encoded, 'base64');
  if (origin === '' || root.length !== hashBytes) throw new Error('this is no checkpoint of a log');
  return { origin, size: Number(size), root };
}
