import type { FastifyRequest } from 'fastify';
import { Refusal } from '../../contracts/codes.ts';
import type { ReceivedFile } from '../../contracts/http/upload.ts';
import type { Uid } from '../../contracts/ids.ts';
import { bytesOf, type Settings } from '../../contracts/settings.ts';
import type { Application } from './application.ts';
import type { Caller } from './caller.ts';
import { readUpload } from './multipart.ts';

/**
 * Uploads of one person at the same time: each uses a connection and a file of up to 50 MB. A page may send an album
 * of 20 pictures at once.
 */
const maxUnderWay = 20;
const underWay = new Map<Uid, number>();

/** An upload on the disk, and the fields that came with it. */
export interface ReceivedUpload {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly file: ReceivedFile | undefined;
  /** Removes the file, unless it was stored, and makes room for the person's next upload. */
  release(): Promise<void>;
}

/**
 * Receives the file of a request, if its sender has quota and the disk has space left.
 * @throws Refusal quotaUsed, tooMany, tooLarge, noSpace, unreadable; what the disk throws
 */
export async function receiveUpload(
  request: FastifyRequest,
  kind: 'image' | 'file',
  { files: { incoming }, uploads }: Pick<Application, 'files' | 'uploads'>,
  settings: Settings,
  caller: Caller,
): Promise<ReceivedUpload> {
  const uid = caller.kind === 'user' ? caller.uid : undefined;
  if (uid !== undefined && (await uploads.usedBy(uid)) >= bytesOf(settings.upload_quota_mb)) {
    throw new Refusal('quotaUsed');
  }
  const end = begin(uid);
  try {
    const maxBytes = bytesOf(kind === 'image' ? settings.upload_img_mb : settings.upload_file_mb);
    const reserve = bytesOf(settings.upload_reserve_mb);
    const { fields, file } = await readUpload(request, incoming, maxBytes, reserve);
    return {
      ...{ fields, file },
      async release() {
        end();
        if (file) await incoming.discard(file.place);
      },
    };
  } catch (error) {
    end();
    throw error;
  }
}

/** Counts an upload of a person. @returns what ends it */
function begin(uid: Uid | undefined): () => void {
  if (uid === undefined) return () => undefined;
  const before = underWay.get(uid) ?? 0;
  if (before >= maxUnderWay) throw new Refusal('tooMany');
  underWay.set(uid, before + 1);
  return () => {
    const left = (underWay.get(uid) ?? 1) - 1;
    if (left > 0) underWay.set(uid, left);
    else underWay.delete(uid);
  };
}
