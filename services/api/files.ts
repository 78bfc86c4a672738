import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { defaultAvatar } from '../../contracts/avatars.ts';
import { Refusal } from '../../contracts/codes.ts';
import { readStoredPath, type StoredFile, type StoredPath } from '../files/file-store.ts';
import type { Application } from './application.ts';

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

/** What a path names never changes. */
const forEver = 'public, max-age=31536000, immutable';

/** What was uploaded, and the picture of who has none. */
export function fileRoutes(server: FastifyInstance, { files }: Application): void {
  server.route<{ Params: { '*': string } }>({
    // Fastify's own answer to HEAD would say that there are no bytes.
    method: ['GET', 'HEAD'],
    url: '/upload/*',
    handler: async (request, reply) => {
      const path = readStoredPath(request.params['*']);
      const found = path && (await files.store.find(path));
      if (!found) throw new Refusal('noRoute', '文件不存在');
      return send(request, reply, path, found);
    },
  });

  server.get(defaultAvatar, async (_request, reply) => {
    reply.header('cache-control', 'public, max-age=86400');
    return reply.type('image/jpeg').send(files.defaultAvatar);
  });
}

function send(
  request: FastifyRequest,
  reply: FastifyReply,
  path: StoredPath,
  file: StoredFile,
): FastifyReply {
  const extension = path.slice(path.lastIndexOf('.') + 1);
  const tag = `"${path.slice(path.lastIndexOf('/') + 1, path.lastIndexOf('.'))}"`;
  reply
    .header('cache-control', forEver)
    .header('etag', tag)
    .header('accept-ranges', 'bytes')
    .header('content-security-policy', "default-src 'none'; sandbox");
  if (path.startsWith('files/')) {
    reply.header('content-disposition', 'attachment').type(media[extension] ?? 'application/octet-stream');
  } else {
    reply.type(pictures[extension] ?? 'application/octet-stream');
  }
  if (request.headers['if-none-match'] === tag) return reply.code(304).send();
  const range = readRange(request.headers.range, file.bytes);
  if (range === 'unsatisfiable') {
    return reply.code(416).header('content-range', `bytes */${file.bytes}`).send('');
  }
  const { start, end } = range ?? { start: 0, end: file.bytes - 1 };
  if (range) reply.code(206).header('content-range', `bytes ${start}-${end}/${file.bytes}`);
  reply.header('content-length', end - start + 1);
  if (request.method === 'HEAD' || file.bytes === 0) return reply.send('');
  return reply.send(file.read({ start, end }));
}

/** The one range that is asked for; undefined where the whole is. */
function readRange(
  header: string | undefined,
  bytes: number,
): { start: number; end: number } | 'unsatisfiable' | undefined {
  const [, from, to] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? [];
  if (from === undefined || to === undefined || (from === '' && to === '')) return undefined;
  const start = from === '' ? Math.max(0, bytes - Number(to)) : Number(from);
  const end = from === '' || to === '' ? bytes - 1 : Math.min(Number(to), bytes - 1);
  return start > end ? 'unsatisfiable' : { start, end };
}
