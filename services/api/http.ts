import { isUtf8 } from 'node:buffer';
import type { RequestListener, Server, ServerOptions } from 'node:http';
import cookie from '@fastify/cookie';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyRequest,
  type HTTPMethods,
  LogController,
} from 'fastify';
import type { Logger } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { Refusal } from '../../contracts/codes.ts';
import { isDeeperThan } from '../../contracts/json-depth.ts';
import { type Trust, trustNone } from '../edge/proxies.ts';
import { calls } from '../measurements.ts';
import { answerUnreadable, refusalFor, refuse } from './envelope.ts';
import { maxBodyBytes, readForm, readFormBody } from './form.ts';
import { type ConnectionLimits, connectionLimits, maxHeaderBytes } from './http-limits.ts';
import { createPipelineServer } from './pipelining.ts';
import { cutSlowClients } from './slow-clients.ts';

const methods: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/**
 * An HTTP server without routes: how bodies and cookies are read, how errors are answered.
 * @param logger where what fails unexpectedly is told
 * @param trust which proxies may name the client's address, protocol and host
 * @param limits when clients are cut off that hold a connection
 */
export async function createHttp(
  logger: Logger,
  trust: Trust = trustNone,
  limits: ConnectionLimits = connectionLimits,
): Promise<FastifyInstance> {
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
    bodyLimit: maxBodyBytes,
    serverFactory: (handler) => createNodeServer(handler, limits),
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
  closeRestingConnections(server);
  readBodies(server);
  cutSlowClients(server, limits);
  await server.register(cookie);
  server.decorateReply('envelopeCode', 0);
  measureCalls(server);
  server.setErrorHandler((error, request, reply) => {
    const refusal = refusalFor(error);
    // What was meant for the caller tells those who run the program nothing.
    if (!(error instanceof Refusal)) {
      const log = logger.child({ reqId: request.id });
      if (refusal.reason === 'unexpected') log.error({ err: error }, 'a request failed unexpectedly');
      else if (refusal.reason === 'notReady' || refusal.reason === 'noSpace')
        log.warn({ err: error }, 'a request could not be carried out now');
    }
    return refuse(reply, refusal);
  });
  server.setNotFoundHandler((request, reply) => {
    const allowed = methodsAt(server, request);
    if (allowed.length === 0) return refuse(reply, new Refusal('noRoute'));
    return refuse(reply.header('allow', allowed.join(', ')), new Refusal('wrongMethod'));
  });
  server.addHook('onRequest', (request, reply, next) => {
    // Most answers are for one person alone. What is for all says so itself.
    reply.headers({ 'x-request-id': request.id, 'cache-control': 'no-store' });
    next();
  });
  return server;
}

/** Reports each answer under the path of its route: what a client makes up never becomes a name. */
function measureCalls(server: FastifyInstance): void {
  server.addHook('onResponse', (request, reply, next) => {
    if (calls.wanted) {
      const { config, url } = request.routeOptions;
      calls.report({
        call: config.contract?.path ?? url ?? 'none',
        code: reply.envelopeCode,
        ms: reply.elapsedTime,
      });
    }
    next();
  });
}

/** The server below, with its limits. */
function createNodeServer(handler: RequestListener, limits: ConnectionLimits): Server {
  const options: ServerOptions = {
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: limits.headers,
    keepAliveTimeout: limits.keepAlive,
    // A body has no deadline of its own: it is watched while it comes.
    requestTimeout: 0,
    connectionsCheckingInterval: limits.look,
    // Clients offer HTTP/2 and others in the same header; what is not taken is served as it is.
    shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
  };
  return createPipelineServer(options, handler, limits.pipelined).setTimeout(limits.stillness);
}

/** How often a server that ends looks for connections at rest, in milliseconds. */
const restingLookMs = 100;

/**
 * Closes, while the server ends, each connection as soon as it rests. The server itself closes those that rest when
 * it begins to end; one whose answer was under way then would hold it open until `keepAliveTimeout`.
 */
function closeRestingConnections(server: FastifyInstance): void {
  server.addHook('preClose', async () => {
    const timer = setInterval(() => server.server.closeIdleConnections(), restingLookMs);
    server.server.once('close', () => clearInterval(timer));
    timer.unref();
  });
}

/** How bodies are read: JSON and forms; other types are refused, but for multipart where it is registered. */
function readBodies(server: FastifyInstance): void {
  const json = server.getDefaultJsonParser('error', 'error');
  server.removeContentTypeParser('text/plain');
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    // Some clients name the type of a body that they do not send.
    if (body.length === 0) return done(null, undefined);
    // Decoded all the same, other bytes would become other characters than the caller's.
    const text = isUtf8(body) ? body.toString() : undefined;
    if (text === undefined || isDeeperThan(text)) return done(new Refusal('unreadable'));
    void json(request, text, done);
  });
  const form = 'application/x-www-form-urlencoded';
  server.addContentTypeParser(form, { parseAs: 'buffer' }, (_request, body: Buffer, done) => {
    done(null, readFormBody(body));
  });
}

/** By which methods the path of a request is served. */
function methodsAt(server: FastifyInstance, request: FastifyRequest): HTTPMethods[] {
  const [path = ''] = request.url.split('?', 1);
  const url = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
  return methods.filter((method) => server.hasRoute({ method, url }));
}
