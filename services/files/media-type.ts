import { extname } from 'node:path';
import { lookup } from 'mime-types';
import type { StoredPath } from './file-store.ts';

const unknown = 'application/octet-stream';

/** Whether the file may have any content, which no browser may show. */
export function isAttachment(path: StoredPath): boolean {
  return path.startsWith('files/');
}

/**
 * The media type of a stored file. Of attachments only audio and video have one: players need it, and browsers do not
 * execute them.
 */
export function mediaTypeOf(path: StoredPath): string {
  const type = lookup(extname(path)) || unknown;
  return /^(?:audio|video)\//.test(type) || !isAttachment(path) ? type : unknown;
}
