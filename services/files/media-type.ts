import type { StoredPath } from './file-store.ts';

const pictures: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
};

/** What players want to know by its type, and no browser runs. */
const media: Readonly<Record<string, string>> = {
  mp3: 'audio/mpeg',
  m4a: 'audio/mp4',
  aac: 'audio/aac',
  amr: 'audio/amr',
  wav: 'audio/wav',
  ogg: 'audio/ogg',
  opus: 'audio/ogg',
  mp4: 'video/mp4',
  webm: 'video/webm',
};

/** Whether any bytes may lie there, which no browser is to show. */
export function isAttachment(path: StoredPath): boolean {
  return path.startsWith('files/');
}

/** As what a stored file is given out. */
export function mediaTypeOf(path: StoredPath): string {
  const extension = path.slice(path.lastIndexOf('.') + 1);
  return (isAttachment(path) ? media : pictures)[extension] ?? 'application/octet-stream';
}
