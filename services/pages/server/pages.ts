import { access } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';

/** Where `npm run pages` builds the pages. */
export const builtFolder = fileURLToPath(new URL('../built/', import.meta.url));

/** What the pages may load: nothing of other hosts, and no script that is not a file of ours. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join(';');

/**
 * Serves the pages: `/` leads to the others, `/chat/`, `/console/`. If they were not built, `/` says so and the
 * others are not found.
 */
export async function pageRoutes(server: FastifyInstance, folder = builtFolder): Promise<void> {
  const built = await access(folder).then(
    () => true,
    () => false,
  );
  if (!built) {
    server.get('/', async (_request, reply) =>
      reply.type('text/plain; charset=utf-8').send('The pages are not built: run "npm run pages".\n'),
    );
    return;
  }
  await server.register(async (scope) => {
    // In place of the policy of answers that are no pages. The other headers of those are right for pages, too.
    scope.addHook('onRequest', (_request, reply, done) => {
      reply.header('content-security-policy', policy);
      done();
    });
    await scope.register(fastifyStatic, {
      root: folder,
      // A route for each file: what is not a page is answered as any other unknown path.
      wildcard: false,
      cacheControl: false,
      setHeaders(reply, path) {
        // The names of assets contain a hash of their content.
        const lasting = path.includes('/assets/');
        reply.header('cache-control', lasting ? 'public, max-age=31536000, immutable' : 'no-cache');
      },
    });
  });
}
