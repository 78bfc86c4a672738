import { isUtf8 } from 'node:buffer';
import cookie from '@fastify/cookie';
import formbody from '@fastify/formbody';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type HTTPMethods,
  LogController,
} from 'fastify';
import type { Logger } from 'pino';
import { uuidv7 } from 'uuidv7';
import { Refusal } from '../../contracts/codes.ts';
import { type Trust, trustNone } from '../proxies.ts';
import { answerUnreadable, refusalFor, refuse } from './envelope.ts';
import { mostBodyBytes, readForm } from './form.ts';

const methods: readonly HTTPMethods[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/**
 * An HTTP server without routes: how bodies and cookies are read, how errors are answered.
 * @param logger where what fails unexpectedly is told
 * @param trust which proxies may name the client's address, protocol and host
 */
export async function createHttp(logger: Logger, trust: Trust = trustNone): Promise<FastifyInstance> {
  // What the libraries below tell at debug and trace holds headers, and these hold tokens and keys.
  const level = logger.isLevelEnabled('debug') ? 'info' : logger.level;
  const loggerInstance: FastifyBaseLogger = logger.child({}, { level });
  const server = Fastify({
    loggerInstance,
    trustProxy: trust,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => uuidv7(),
    // A logger of its own for each request would cost more than the few that log anything are worth.
    childLoggerFactory: (parent) => parent,
    requestIdHeader: false,
    bodyLimit: mostBodyBytes,
    clientErrorHandler: answerUnreadable,
    routerOptions: { querystringParser: readForm, ignoreTrailingSlash: true },
    // What the server itself refuses before any handler, such as a URL that cannot be read.
    frameworkErrors: (error, _request, reply) => {
      refuse(reply, refusalFor(error));
    },
    forceCloseConnections: 'idle',
    // Who asks on an open connection while the server ends is answered as always; the connection then closes.
    return503OnClosing: false,
  });
  const json = server.getDefaultJsonParser('error', 'error');
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    // Decoded all the same, other bytes would become other characters than the caller's.
    if (isUtf8(body)) void json(request, body.toString(), done);
    else done(new Refusal('unreadable'));
  });
  await server.register(cookie);
  await server.register(formbody, { parser: readForm, bodyLimit: mostBodyBytes });
  server.setErrorHandler((error, request, reply) => {
    const refusal = refusalFor(error);
    // What was meant for the caller tells those who run the program nothing.
    if (!(error instanceof Refusal)) {
      const log = logger.child({ reqId: request.id });
      if (refusal.reason === 'unexpected') log.error({ err: error }, 'a request failed unexpectedly');
      else if (refusal.reason === 'notReady')
        log.warn({ err: error }, 'a request could not be carried out now');
    }
    return refuse(reply, refusal);
  });
  server.setNotFoundHandler((request, reply) => {
    const url = request.url.split('?', 1)[0] ?? '';
    const elsewhere = methods.some((method) => server.hasRoute({ method, url }));
    return refuse(reply, new Refusal(elsewhere ? 'wrongMethod' : 'noRoute'));
  });
  server.addHook('onRequest', (request, reply, next) => {
    reply.header('x-request-id', request.id);
    next();
  });
  return server;
}
