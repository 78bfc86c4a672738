import { extname } from 'node:path';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { fileTypeFromFile } from 'file-type';
import { Refusal } from '../../contracts/codes.ts';
import { uploadGroupAvatar } from '../../contracts/http/aliases.ts';
import { type ReceivedFile, uploadAvatar, uploadFile, uploadImage } from '../../contracts/http/upload.ts';
import { settingStream } from '../domain/setting.ts';
import { newStoredPath, type Shelf, type StoredPath } from '../files/file-store.ts';
import { avatarSide, reencode } from '../files/pictures.ts';
import { shownSize } from '../files/size.ts';
import type { Application } from './application.ts';
import { publicHost } from './public-host.ts';
import { type Call, serve } from './route.ts';

/** Uploads (API document, 上传). */
export function uploadRoutes(server: FastifyInstance, application: Application): void {
  const { files, store, now } = application;
  const settings = async () => (await store.load(settingStream)).state;

  const answer = async (request: FastifyRequest, path: StoredPath, { name, bytes }: ReceivedFile) => {
    const host = publicHost(request, await settings());
    return { data: { src: `//${host}/upload/${path}`, name, size: shownSize(bytes) } };
  };

  /** Puts a picture, written anew, where it belongs. */
  const addPicture = async (shelf: Shelf, file: ReceivedFile) => {
    const clean = files.incoming.newFile();
    try {
      const side = shelf.kind === 'avatars' ? avatarSide : undefined;
      const path = newStoredPath(shelf, await reencode(file.place, clean, side));
      await files.store.add(path, clean);
      return path;
    } finally {
      await files.incoming.discard(clean);
    }
  };

  serve(server, application, uploadAvatar, async ({ parameters: { file }, me, request }) =>
    answer(request, await addPicture({ kind: 'avatars', uid: me() }, file), file),
  );

  const addImage = async ({ parameters: { file }, request }: Call<{ readonly file: ReceivedFile }>) => {
    if ((await settings()).upload_img === 'off') throw new Refusal('uploadImageOff');
    return answer(request, await addPicture({ kind: 'images', time: now() }, file), file);
  };

  serve(server, application, uploadImage, addImage);
  serve(server, application, uploadGroupAvatar, addImage);

  serve(server, application, uploadFile, async ({ parameters: { file }, request }) => {
    if ((await settings()).upload_file === 'off') throw new Refusal('uploadFileOff');
    const path = newStoredPath({ kind: 'files', time: now() }, await extensionOf(file));
    await files.store.add(path, file.place);
    return answer(request, path, file);
  });
}

/** What the bytes say the file is; where they say nothing, what its name says. */
async function extensionOf({ place, name }: ReceivedFile): Promise<string> {
  const sniffed = (await fileTypeFromFile(place))?.ext;
  const named = extname(name).slice(1).toLowerCase();
  return [sniffed, named].find((extension) => extension && /^[a-z0-9]{1,10}$/.test(extension)) ?? 'bin';
}
