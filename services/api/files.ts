import { create as contentDisposition } from 'content-disposition';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { parse as parseRange, type Range } from 'range-parser';
import { defaultAvatar } from '../../contracts/avatars.ts';
import { Refusal } from '../../contracts/codes.ts';
import { readStoredPath, type StoredFile, type StoredPath } from '../files/file-store.ts';
import { isAttachment, mediaTypeOf } from '../files/media-type.ts';
import type { Application } from './application.ts';

/** What a path names never changes. */
const forEver = 'public, max-age=31536000, immutable';

/** What was uploaded, and the picture of who has none. */
export function fileRoutes(server: FastifyInstance, { files, uploads }: Application): void {
  server.route<{ Params: { '*': string } }>({
    // Fastify's own answer to HEAD would say that there are no bytes.
    method: ['GET', 'HEAD'],
    url: '/upload/*',
    config: { counts: 'light' },
    handler: async (request, reply) => {
      const path = readStoredPath(request.params['*']);
      const found = path && (await files.store.find(path));
      if (!found) throw new Refusal('noRoute', '文件不存在');
      if (isAttachment(path)) {
        reply.header('content-disposition', contentDisposition(await uploads.nameOf(path)));
      }
      return send(request, reply, path, found);
    },
  });

  server.get(defaultAvatar, { config: { counts: 'light' } }, async (_request, reply) => {
    reply.header('cache-control', 'public, max-age=86400');
    return reply.type('image/jpeg').send(await files.defaultAvatar());
  });
}

async function send(
  request: FastifyRequest,
  reply: FastifyReply,
  path: StoredPath,
  file: StoredFile,
): Promise<FastifyReply> {
  const tag = `"${path.slice(path.lastIndexOf('/') + 1, path.lastIndexOf('.'))}"`;
  const range = readRange(request.headers.range, file.bytes);
  const known = request.headers['if-none-match'] === tag;
  const { start, end } = range && range !== 'unsatisfiable' ? range : { start: 0, end: file.bytes - 1 };
  const without = known || range === 'unsatisfiable' || request.method === 'HEAD' || file.bytes === 0;
  // Before any header says that all is well: here the store may fail.
  const body = without ? '' : await file.read({ start, end });
  reply
    .header('cache-control', forEver)
    .header('etag', tag)
    .header('accept-ranges', 'bytes')
    .header('content-security-policy', "default-src 'none'; sandbox")
    .type(mediaTypeOf(path));
  if (known) return reply.code(304).send();
  if (range === 'unsatisfiable') {
    return reply.code(416).header('content-range', `bytes */${file.bytes}`).send(body);
  }
  if (range) reply.code(206).header('content-range', `bytes ${start}-${end}/${file.bytes}`);
  return reply.header('content-length', end - start + 1).send(body);
}

/** The one range that is asked for; undefined if all is, or more ranges than one. */
function readRange(header: string | undefined, bytes: number): Range | 'unsatisfiable' | undefined {
  const { type, code, ranges } = parseRange(bytes, header ?? '');
  const unreadable = type !== 'bytes' || (code & 1) !== 0;
  if (unreadable || ranges.length > 1) return undefined;
  return ranges[0] ?? (code === 0 ? undefined : 'unsatisfiable');
}
