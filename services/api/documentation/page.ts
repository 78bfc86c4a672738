import helmet from '@fastify/helmet';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { describeApi, type ServedContract } from './openapi.ts';

/** All that the page needs comes from here: it works where there is no other net. */
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

/**
 * Serves the description of the calls at `/openapi.json`, and as a page that one can try them on at
 * `/docs`. To be called once they are all served.
 */
export async function documentationRoutes(
  server: FastifyInstance,
  served: readonly ServedContract[],
  prefixes: readonly string[],
): Promise<void> {
  const text = JSON.stringify(describeApi(served, prefixes));
  server.get('/openapi.json', async (_request, reply) => reply.type('application/json').send(text));
  await server.register(async (scope) => {
    await scope.register(helmet, { contentSecurityPolicy: false });
    await scope.register(swagger, { mode: 'static', specification: { document: JSON.parse(text) } });
    await scope.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: pagePolicy,
      uiConfig: { docExpansion: 'none', filter: true, deepLinking: true, validatorUrl: null },
    });
  });
}
