import cors, { type FastifyCorsOptions, type FastifyCorsOptionsDelegateCallback } from '@fastify/cors';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { currentSettings } from '../commands/setting.ts';
import type { Application } from './application.ts';
import { isTrusted } from './caller.ts';

const shared: FastifyCorsOptions = {
  methods: ['GET', 'POST'],
  allowedHeaders: [
    ...['authorization', 'content-type', 'x-app-key', 'x-app-secret', 'x-position', 'range'],
    // What clients of the original product and of Laravel send.
    ...['token', 'sso', 'skiptoken', 'x-requested-with', 'x-csrf-token', 'x-socket-id'],
  ],
  exposedHeaders: ['x-position', 'x-request-id', 'content-range'],
  maxAge: 7200,
};

const noPage: FastifyCorsOptions = { origin: false };
/** Any page may call with a token that it holds; it may not use its visitor's cookie. */
const anyPage: FastifyCorsOptions = { ...shared, origin: '*' };
const trustedPage: FastifyCorsOptions = { ...shared, origin: true, credentials: true };

/**
 * The headers that helmet would set for answers that are no pages: no sniffing of types, nothing to run or to frame.
 * Constants, since helmet itself would double the cost of a short answer.
 */
const nothingToRun = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  // Pictures are shown on the pages of other hosts.
  'cross-origin-resource-policy': 'cross-origin',
} as const;

/** Sets the headers by which browsers limit what pages may do with our answers, and CORS. */
export async function guardBrowsers(
  server: FastifyInstance,
  { store }: Pick<Application, 'store'>,
): Promise<void> {
  const optionsFor: FastifyCorsOptionsDelegateCallback = (request: FastifyRequest, give) => {
    const { origin } = request.headers;
    if (origin === undefined || isNoPreflight(request)) return give(null, noPage);
    currentSettings(store).then(
      (settings) => give(null, isTrusted(origin, request, settings) ? trustedPage : anyPage),
      (error: Error) => give(error),
    );
  };
  server.addHook('onRequest', (_request, reply, done) => {
    reply.headers(nothingToRun);
    done();
  });
  await server.register(cors, { delegator: optionsFor });
}

/**
 * Whether a request has the method of a preflight, but is none. The library would answer it in plain text; for us it
 * has a wrong method.
 */
function isNoPreflight({ method, headers }: FastifyRequest): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] === undefined;
}
