import { extname } from 'node:path';
import { lookup } from 'mime-types';
import type { StoredPath } from './file-store.ts';

const unknown = 'application/octet-stream';

/** Whether any bytes may lie there, which no browser is to show. */
export function isAttachment(path: StoredPath): boolean {
  return path.startsWith('files/');
}

/**
 * The media type of a stored file. Of what anybody may have written, only sound and video have one: players
 * need it, and no browser runs them.
 */
export function mediaTypeOf(path: StoredPath): string {
  const type = lookup(extname(path)) || unknown;
  return /^(?:audio|video)\//.test(type) || !isAttachment(path) ? type : unknown;
}
