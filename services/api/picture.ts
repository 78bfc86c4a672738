import type { FastifyInstance } from 'fastify';
import { groupAvatar, qrcodeGet } from '../../contracts/http/picture.ts';
import { initialOf } from '../files/faces.ts';
import { storedPictureOf } from '../files/file-store.ts';
import type { Face } from '../files/group-pictures.ts';
import { findFaces } from '../queries/people.ts';
import type { Application } from './application.ts';
import { maxDrawingsWaiting, shareOf } from './caller.ts';
import { servePicture } from './route.ts';

const noBody = new Uint8Array();

/** Drawn pictures: QR codes, and groups by the faces of their members. */
export function pictureRoutes(server: FastifyInstance, application: Application): void {
  const { files, drawing, database } = application;

  servePicture(server, application, qrcodeGet, async ({ parameters: { content }, request, reply }) => {
    const picture = await drawing.code(content, shareOf(request, maxDrawingsWaiting));
    reply.header('cache-control', 'public, max-age=86400');
    return picture;
  });

  servePicture(server, application, groupAvatar, async ({ parameters: { uid: uids }, request, reply }) => {
    const people = await findFaces(database, uids);
    const faces = uids.map((uid): Face => {
      const { avatar = '', nickname = '' } = people.get(uid) ?? {};
      return { uid, path: storedPictureOf(avatar), initial: initialOf(nickname) };
    });
    const found = await files.groupPictures.find(faces);
    if (!found) {
      reply.header('cache-control', 'no-store');
      return files.defaultAvatar();
    }
    const tag = `"${found.tag}"`;
    reply.header('cache-control', 'public, max-age=300').header('etag', tag);
    if (request.headers['if-none-match'] !== tag) return found.picture;
    reply.code(304);
    return noBody;
  });
}
