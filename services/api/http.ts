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
import { Refusal } from '../../contracts/codes.ts';
import { exceedsJsonLimits } from '../../contracts/json-limits.ts';
import { type Trust, trustNone } from '../edge/proxies.ts';
import { calls } from '../measurements.ts';
import { timeOrderedId } from '../time-ordered-id.ts';
import { parseInTurn } from './bodies/large-bodies.ts';
import { addDraining } from './draining.ts';
import { answerUnreadable, refusalFor, refuse } from './envelope.ts';
import { maxBodyBytes, readForm, readFormBody } from './form.ts';
import { type ConnectionLimits, connectionLimits, maxHeaderBytes } from './http-limits.ts';
import { createPipelineServer } from './pipelining.ts';
import { callOf, codeOf } from './request-log.ts';
import { bringsBody, cutSlowClients } from './slow-clients.ts';

const methods: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/**
 * An HTTP server without routes: it reads bodies and cookies, and answers errors.
 * @param logger for unexpected failures
 * @param trust which proxies may name the client's address, protocol and host
 * @param limits when connections of slow clients are closed
 */
export async function createHttp(
  logger: Logger,
  trust: Trust = trustNone,
  limits: ConnectionLimits = connectionLimits,
): Promise<FastifyInstance> {
  // At debug and trace the libraries log headers, which hold tokens and keys.
  const level = logger.isLevelEnabled('debug') ? 'info' : logger.level;
  const loggerInstance: FastifyBaseLogger = logger.child({}, { level });
  const server = Fastify({
    loggerInstance,
    trustProxy: trust,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: timeOrderedId,
    // A logger for each request would be expensive, and few requests log anything.
    childLoggerFactory: (parent) => parent,
    requestIdHeader: false,
    bodyLimit: maxBodyBytes,
    serverFactory: (handler) => createNodeServer(handler, limits),
    clientErrorHandler: answerUnreadable,
    routerOptions: { querystringParser: readForm, ignoreTrailingSlash: true },
    // Requests that the server refuses before any handler, such as one with an unreadable URL.
    frameworkErrors: (error, _request, reply) => {
      refuse(reply, refusalFor(error));
    },
    forceCloseConnections: 'idle',
    // A request on an open connection while the server ends is answered as always; then the connection closes.
    return503OnClosing: false,
  });
  addDraining(server);
  closeIdleConnections(server);
  readBodies(server);
  cutSlowClients(server, limits);
  // Cookies are read by the calls that want them.
  await server.register(cookie, { hook: false });
  server.decorateReply('envelopeCode', 0);
  measureCalls(server);
  server.setErrorHandler((error, request, reply) => {
    // Its client has gone before the body was read; the code of that error is that of a database which is away.
    const hungUp = error === request.raw.errored;
    const refusal = hungUp ? new Refusal('unreadable') : refusalFor(error);
    // A refusal is of no interest to operators, unless it has a cause.
    if (!(error instanceof Refusal && error.cause === undefined) && !hungUp) {
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
    // Most answers are for one person only; the others set their own header.
    reply.headers({ 'x-request-id': request.id, 'cache-control': 'no-store' });
    next();
  });
  return server;
}

/** Reports each answer under the path of its route: what a client makes up never becomes a name. */
function measureCalls(server: FastifyInstance): void {
  server.addHook('onResponse', (request, reply, next) => {
    if (calls.wanted) {
      const { id, method } = request;
      const { elapsedTime: ms, statusCode: status } = reply;
      calls.report({ call: callOf(request), code: codeOf(reply), ms, method, status, request: id });
    }
    next();
  });
}

/** Node's HTTP server, with its limits. */
function createNodeServer(handler: RequestListener, limits: ConnectionLimits): Server {
  const options: ServerOptions = {
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: limits.headersMs,
    keepAliveTimeout: limits.keepAliveMs,
    // A body has no deadline: its rate is checked while it arrives.
    requestTimeout: 0,
    connectionsCheckingInterval: limits.checkMs,
    // Clients offer HTTP/2 and others in the same header; without an upgrade the request is served as it is. So is
    // one with a body, which would be a second way to read bodies, without their limits.
    shouldUpgradeCallback: (request) =>
      request.headers.upgrade?.toLowerCase() === 'websocket' && !bringsBody(request),
  };
  return createPipelineServer(options, handler, limits.maxPipelined).setTimeout(limits.silenceMs);
}

/** How often a server that ends closes idle connections. */
const idleCheckMs = 100;

/**
 * Closes connections as soon as they are idle, while the server ends. The server itself closes only those that are
 * idle when it begins to end; others would keep it open until `keepAliveTimeout`.
 */
function closeIdleConnections(server: FastifyInstance): void {
  let timer: NodeJS.Timeout | undefined;
  server.addHook('preClose', async () => {
    timer = setInterval(() => server.server.closeIdleConnections(), idleCheckMs).unref();
  });
  // A server that never listened, as that of past answers, tells of no end itself; its timer would hold it for ever.
  server.addHook('onClose', async () => clearInterval(timer));
}

/** Reads bodies: JSON and forms, not compressed. Other types are refused, except multipart where it is registered. */
function readBodies(server: FastifyInstance): void {
  server.addHook('preParsing', ({ headers }, _reply, payload, next) => {
    const { 'content-encoding': encoding = 'identity' } = headers;
    if (encoding === 'identity') next(null, payload);
    else next(new Refusal('wrongType', '不支持的Content-Encoding,请发送未压缩的内容'));
  });
  const json = server.getDefaultJsonParser('error', 'error');
  server.removeContentTypeParser('text/plain');
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    // Some clients name a type without sending a body.
    if (body.length === 0) return done(null, undefined);
    parseInTurn(request, body, done, (parsed) => {
      // Other bytes would be decoded to characters that the caller did not send.
      const text = isUtf8(body) ? body.toString() : undefined;
      if (text === undefined || exceedsJsonLimits(text)) return parsed(new Refusal('unreadable'));
      void json(request, text, parsed);
    });
  });
  const form = 'application/x-www-form-urlencoded';
  server.addContentTypeParser(form, { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    parseInTurn(request, body, done, (parsed) => parsed(null, readFormBody(body)));
  });
}

/** The methods of a request's path. */
function methodsAt(server: FastifyInstance, request: FastifyRequest): HTTPMethods[] {
  const [path = ''] = request.url.split('?', 1);
  const url = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
  return methods.filter((method) => server.hasRoute({ method, url }));
}
