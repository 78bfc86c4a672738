import { access } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** Where `npm run pages` builds the pages. */
const builtFolder = fileURLToPath(new URL('../built/', import.meta.url));

/** What the pages may load: nothing of other hosts but their websocket, and no script that is not a file of ours. */
function policy(socket: string | undefined): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "media-src 'self' blob:",
    `connect-src 'self'${socket === undefined ? '' : ` ${socket}`}`,
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join(';');
}

const socketSchemes: ReadonlyMap<string, string> = new Map([
  ['ws:', 'ws:'],
  ['http:', 'ws:'],
  ['wss:', 'wss:'],
  ['https:', 'wss:'],
]);

/**
 * A websocket's address as a source of a policy: scheme, host and port alone, so that nothing else in the address gets
 * into the policy. Undefined for what no policy can name: another scheme, or an IPv6 address.
 */
export function socketSource(address: string): string | undefined {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const scheme = url && socketSchemes.get(url.protocol);
  if (scheme === undefined || !/^[a-z\d.-]+(:\d+)?$/.test(url?.host ?? '')) return undefined;
  return `${scheme}//${url?.host}`;
}

export interface PageOptions {
  /** The address of the websocket that clients who ask like this are given. */
  readonly socketAddress: (request: FastifyRequest) => string;
  /** The folder of the built pages. */
  readonly folder?: string;
}

/**
 * Serves the pages: `/` leads to the others, `/chat/`, `/console/`. If they were not built, `/` says so and the
 * others are not found.
 */
export async function pageRoutes(
  server: FastifyInstance,
  { socketAddress, folder = builtFolder }: PageOptions,
): Promise<void> {
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
    scope.addHook('onRequest', (request, reply, done) => {
      reply.header('content-security-policy', policy(socketSource(socketAddress(request))));
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
