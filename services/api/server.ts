import cookie from '@fastify/cookie';
import formbody from '@fastify/formbody';
import multipart from '@fastify/multipart';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type HTTPMethods,
  LogController,
} from 'fastify';
import { uuidv7 } from 'uuidv7';
import { Refusal } from '../../contracts/codes.ts';
import type { Application } from './application.ts';
import { guardBrowsers } from './browsers.ts';
import { developmentRoutes } from './development.ts';
import { documentationRoutes } from './documentation/page.ts';
import { answerUnreadable, refusalFor, refuse } from './envelope.ts';
import { fileRoutes } from './files.ts';
import { mostBodyBytes, readForm } from './form.ts';
import { friendRoutes } from './friend.ts';
import { groupRoutes } from './group.ts';
import { loginRoutes } from './login.ts';
import { messageRoutes } from './message.ts';
import { pictureRoutes } from './picture.ts';
import { popRoutes } from './pop.ts';
import { replyRoutes } from './reply.ts';
import { apiPrefixes, gatherContracts } from './route.ts';
import { settingRoutes } from './setting.ts';
import { uploadRoutes } from './upload.ts';
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
  uploadRoutes,
  fileRoutes,
  pictureRoutes,
  developmentRoutes,
];

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
    bodyLimit: mostBodyBytes,
    clientErrorHandler: answerUnreadable,
    routerOptions: { querystringParser: readForm, ignoreTrailingSlash: true },
    forceCloseConnections: 'idle',
  });
  await guardBrowsers(server, application);
  await server.register(cookie);
  await server.register(formbody, { parser: readForm, bodyLimit: mostBodyBytes });
  await server.register(multipart);

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

  const served = gatherContracts(server);
  for (const routes of allRoutes) routes(server, application);
  await documentationRoutes(server, [...served.values()], apiPrefixes);
  return server;
}
