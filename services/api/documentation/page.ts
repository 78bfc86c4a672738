import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import helmet from '@fastify/helmet';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { describeApi, type ServedContract } from './openapi.ts';

/** The page loads everything from here, so that it works without the internet. */
const pagePolicy = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': ["'self'", "'unsafe-inline'"],
  'img-src': ["'self'", 'data:'],
  'font-src': ["'self'", 'data:'],
  'connect-src': "'self'",
  'form-action': "'self'",
  'base-uri': "'self'",
  'frame-ancestors': "'none'",
};

/** The script and the style that make the page accessible. */
const folder = join(import.meta.dirname, 'page');

/**
 * Serves the description of the calls at `/openapi.json`, and at `/docs` as a page to try them. Call it when all of
 * them are served.
 */
export async function documentationRoutes(
  server: FastifyInstance,
  served: readonly ServedContract[],
  prefixes: readonly string[],
): Promise<void> {
  const text = JSON.stringify(describeApi(served, prefixes));
  // Encoded once: it is 500 KB, which everybody may ask for.
  const bytes = Buffer.from(text);
  server.get('/openapi.json', async (_request, reply) => reply.type('application/json').send(bytes));
  await server.register(async (scope) => {
    await scope.register(helmet, { contentSecurityPolicy: false });
    await scope.register(swagger, { mode: 'static', specification: { document: JSON.parse(text) } });
    await scope.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: pagePolicy,
      theme: {
        title: 'bubble-im API',
        js: [{ filename: 'page.js', content: await readFile(join(folder, 'page.js'), 'utf8') }],
        css: [{ filename: 'page.css', content: await readFile(join(folder, 'page.css'), 'utf8') }],
      },
      uiConfig: {
        // Without the bar in which another document could be opened.
        layout: 'BaseLayout',
        docExpansion: 'none',
        filter: true,
        deepLinking: true,
        persistAuthorization: true,
        // Named by each call; a list of them all is longer than that of the calls.
        defaultModelsExpandDepth: -1,
        // Its colours are too faint, and cannot be changed by a style.
        syntaxHighlight: false,
        validatorUrl: null,
      },
    });
  });
}
