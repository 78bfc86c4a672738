import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Refusal, statusOf } from '../../../contracts/codes.ts';
import { bytesOf } from '../../audit/tree/export-tree.ts';
import { latestHead } from '../../audit/tree/heads.ts';
import { tileOf, tileWidth } from '../../audit/tree/tiles.ts';
import { TreeStore } from '../../audit/tree/tree-store.ts';
import type { Application } from '../application.ts';
import { serverKeyOnly } from './server-key.ts';

/** The head changes every 10 s; a full tile never does. */
const headCache = 'no-cache';
const tileCache = 'private, max-age=31536000, immutable';

const takesGzip = /(?:^|,)\s*gzip\s*(?:;\s*q=(?:1|0\.\d*[1-9]))?\s*(?:,|$)/i;
const compressed = promisify(gzip);

/**
 * The Merkle tree over the log, for the server's key: `/audit/log/` is the prefix of C2SP tlog-tiles, and what is under
 * it is as that says, without the envelope of the API.
 */
export function auditLogRoutes(server: FastifyInstance, application: Application): void {
  const { pool, auditVerifier } = application;
  const tree = new TreeStore(pool);
  const mayRead = serverKeyOnly(application);
  /** A status of its own, since what reads tiles takes every 200 for one. */
  const admitted = async (request: FastifyRequest, reply: FastifyReply) => {
    try {
      await mayRead(request);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const status = statusOf(error.reason);
      return plain(reply, status === 200 ? 403 : status, error.message);
    }
  };
  const config = { counts: 'light' } as const;

  server.get('/audit/log/checkpoint', { config, onRequest: admitted }, async (_request, reply) => {
    const verifier = await auditVerifier();
    if (!verifier) return plain(reply, 404, 'no head is served without the key: give AUDIT_KEY or DATA_DIR');
    const head = await latestHead(pool, verifier.name, verifier);
    if (!head) return missing(reply);
    return reply.type('text/plain; charset=utf-8').header('cache-control', headCache).send(head.note);
  });

  server.get<{ Params: { '*': string } }>(
    '/audit/log/tile/*',
    { config, onRequest: admitted },
    async ({ params, headers }, reply) => {
      const name = tileOf(`tile/${params['*']}`);
      if (!name) return missing(reply);
      try {
        const bytes = await bytesOf(tree, name);
        const whole = name.width === tileWidth;
        reply.type('application/octet-stream').header('cache-control', whole ? tileCache : headCache);
        if (name.level !== 'entries') return reply.send(bytes);
        // Hashes cannot be compressed; entries take a third.
        reply.header('vary', 'accept-encoding');
        if (!takesGzip.test(headers['accept-encoding'] ?? '')) return reply.send(bytes);
        return reply.header('content-encoding', 'gzip').send(await compressed(bytes));
      } catch (error) {
        if (error instanceof RangeError) return missing(reply);
        throw error;
      }
    },
  );
}

/** What is not there, or not yet. */
function missing(reply: FastifyReply): FastifyReply {
  return plain(reply, 404, 'not found');
}

function plain(reply: FastifyReply, status: number, line: string): FastifyReply {
  return reply
    .code(status)
    .type('text/plain; charset=utf-8')
    .header('cache-control', 'no-store')
    .send(`${line}\n`);
}
