import cookie from '@fastify/cookie';
import formbody from '@fastify/formbody';
import multipart from '@fastify/multipart';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type HTTPMethods,
  LogController,
} from 'fastify';
import qs from 'qs';
import { uuidv7 } from 'uuidv7';
import { Refusal } from '../../contracts/codes.ts';
import type { Application } from './application.ts';
import { developmentRoutes } from './development.ts';
import { refusalFor, refuse } from './envelope.ts';
import { friendRoutes } from './friend.ts';
import { groupRoutes } from './group.ts';
import { loginRoutes } from './login.ts';
import { messageRoutes } from './message.ts';
import { popRoutes } from './pop.ts';
import { replyRoutes } from './reply.ts';
import { settingRoutes } from './setting.ts';
import { userRoutes } from './user.ts';

const allRoutes = [
  loginRoutes,
  userRoutes,
  friendRoutes,
  groupRoutes,
  messageRoutes,
  popRoutes,
  replyRoutes,
  settingRoutes,
  developmentRoutes,
];

/** Lists of a thousand members, as PHP and jQuery send them (`members[]=1`, `members[0]=1`). */
const readForm = (text: string) => qs.parse(text, { arrayLimit: 2000, parameterLimit: 5000, depth: 1 });

const methods: readonly HTTPMethods[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/**
 * The HTTP side of the API, not yet listening.
 * @param application what the routes work with
 */
export async function createServer(application: Application): Promise<FastifyInstance> {
  const loggerInstance: FastifyBaseLogger = application.logger;
  const server = Fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => uuidv7(),
    requestIdHeader: false,
    bodyLimit: 2 * 1024 * 1024,
    routerOptions: { querystringParser: readForm, ignoreTrailingSlash: true },
    forceCloseConnections: 'idle',
  });
  await server.register(cookie);
  await server.register(formbody, { parser: readForm, bodyLimit: 2 * 1024 * 1024 });
  await server.register(multipart, { attachFieldsToBody: 'keyValues', limits: { fields: 5000 } });

  server.setErrorHandler((error, request, reply) => {
    const refusal = refusalFor(error);
    // What was meant for the caller tells those who run the program nothing.
    if (!(error instanceof Refusal)) {
      const { log } = request;
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
  server.addHook('onSend', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });

  for (const routes of allRoutes) routes(server, application);
  return server;
}
