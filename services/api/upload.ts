import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { filesize } from 'filesize';
import { Refusal } from '../../contracts/codes.ts';
import { uploadGroupAvatar } from '../../contracts/http/aliases.ts';
import { type ReceivedFile, uploadAvatar, uploadFile, uploadImage } from '../../contracts/http/upload.ts';
import { bytesOf } from '../../contracts/settings.ts';
import type { Upload } from '../accounts/uploads.ts';
import type { CommandContext } from '../commands/context.ts';
import { currentSettings } from '../commands/setting.ts';
import { newStoredPath, type Shelf, type StoredPath } from '../files/file-store.ts';
import { avatarSide } from '../files/pictures.ts';
import type { Application } from './application.ts';
import { publicHost } from './public-host.ts';
import { type Call, serve } from './route.ts';
import { onceClosed } from './slow-clients.ts';

type UploadCall = Call<{ file: ReceivedFile }>;

/** Uploads (docs/behaviour.md, Uploads, QR codes, settings). */
export function uploadRoutes(server: FastifyInstance, application: Application): void {
  const { files, uploads, store, access, now, logger } = application;
  const settings = () => currentSettings(store);

  const answer = async ({ request, parameters: { file } }: UploadCall, path: StoredPath) => {
    const host = publicHost(request, await settings());
    return { data: { src: `//${host}/upload/${path}`, name: file.name, size: shownSize(file.bytes) } };
  };

  /** Stores a local file, within its sender's quota. */
  const keep = async (
    upload: Upload & { readonly path: StoredPath },
    place: string,
    context: CommandContext,
  ) => {
    await uploads.add(upload, bytesOf((await settings()).upload_quota_mb));
    try {
      await files.store.add(upload.path, place);
    } catch (error) {
      await uploads.remove(upload.path).catch((cause: unknown) => {
        logger.warn({ err: cause, path: upload.path }, 'an upload that was not stored still counts');
      });
      throw error;
    }
    const { uid = null, path, bytes } = upload;
    access.record({ type: 'FileUploaded', data: { uid, path, bytes } }, context);
  };

  /** Re-encodes and stores a picture. */
  const keepPicture = async (
    { parameters: { file }, uid, context, request, reply }: UploadCall,
    shelf: Shelf,
  ) => {
    const clean = files.incoming.newFile();
    try {
      const extension = await files.pictures.reencode({
        // Uploads of the server's key for nobody belong to many people, and so share no turn.
        person: uid === undefined ? request.id : String(uid),
        file: file.place,
        target: clean,
        signal: whileConnected(reply),
        ...(shelf.kind === 'avatars' ? { side: avatarSide } : {}),
      });
      const path = newStoredPath(shelf, extension);
      await keep({ path, uid, name: file.name, bytes: (await stat(clean)).size }, clean, context);
      return path;
    } finally {
      await files.incoming.discard(clean);
    }
  };

  serve(server, application, uploadAvatar, async (call) =>
    answer(call, await keepPicture(call, { kind: 'avatars', uid: call.me() })),
  );

  const addImage = async (call: UploadCall) => {
    if ((await settings()).upload_img === 'off') throw new Refusal('uploadImageOff');
    return answer(call, await keepPicture(call, { kind: 'images', time: now() }));
  };

  serve(server, application, uploadImage, addImage);
  serve(server, application, uploadGroupAvatar, addImage);

  serve(server, application, uploadFile, async (call) => {
    if ((await settings()).upload_file === 'off') throw new Refusal('uploadFileOff');
    const { file } = call.parameters;
    const path = newStoredPath({ kind: 'files', time: now() }, await extensionOf(file));
    const upload = { path, uid: call.uid, name: file.name, bytes: file.bytes };
    await keep(upload, file.place, call.context);
    return answer(call, path);
  });
}

/** Aborted if the connection of a request closes before its answer is written, or has closed already. */
function whileConnected({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  onceClosed(raw, () => {
    if (!raw.writableFinished) gone.abort();
  });
  return gone.signal;
}

/**
 * The extension of the file's name, since the bytes of an .xls or .ipa are those of a container (.cfb, .zip); without
 * one, that of the bytes. No browser runs the file whatever its name is: see files.ts.
 */
async function extensionOf({ place, name }: ReceivedFile): Promise<string> {
  const isExtension = (text: string | undefined) => text !== undefined && /^[a-z0-9]{1,10}$/.test(text);
  const named = extname(name).slice(1).toLowerCase();
  if (isExtension(named)) return named;
  // Loaded here: few files have a name without an extension.
  const { fileTypeFromFile } = await import('file-type');
  const sniffed = (await fileTypeFromFile(place))?.ext;
  return sniffed !== undefined && isExtension(sniffed) ? sniffed : 'bin';
}

/** A size as people read it: `512 B`, `7.15 KB`, `1.20 MB`. */
export function shownSize(bytes: number): string {
  return filesize(bytes, { standard: 'jedec', pad: bytes >= 1024 });
}
