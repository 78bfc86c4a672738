import type { FastifyInstance } from 'fastify';
import { apiPrefixes } from '../../contracts/http/contract.ts';
import { givenAddress } from '../../contracts/websocket-address.ts';
import { cachedSettings } from '../commands/setting.ts';
import { limitAddresses } from '../edge/address-limit.ts';
import { type Trust, trustNone } from '../edge/proxies.ts';
import { pageRoutes } from '../pages/server/pages.ts';
import { accountRoutes } from './account.ts';
import { administrationRoutes } from './administration/accounts-and-groups.ts';
import { announcementRoutes } from './administration/announcement.ts';
import type { Application } from './application.ts';
import { asOfRoutes } from './audit/as-of.ts';
import { auditEventRoutes } from './audit/events.ts';
import { explainRoutes } from './audit/explain.ts';
import { liveAuditRoutes } from './audit/live.ts';
import { auditLogRoutes } from './audit/log.ts';
import { auditStreamRoutes } from './audit/stream.ts';
import { auditUploadRoutes } from './audit/uploads.ts';
import { guardBrowsers } from './browsers.ts';
import { developmentRoutes } from './development.ts';
import { documentationRoutes } from './documentation/page.ts';
import { fileRoutes } from './files.ts';
import { friendRoutes } from './friend.ts';
import { groupRoutes } from './group.ts';
import { groupJoiningRoutes } from './group-joining.ts';
import { createHttp } from './http.ts';
import { loginRoutes } from './login.ts';
import { messageRoutes } from './message.ts';
import { acceptMultipart } from './multipart.ts';
import { pictureRoutes } from './picture.ts';
import { popRoutes } from './pop.ts';
import { replyRoutes } from './reply.ts';
import { logRequests } from './request-log.ts';
import { gatherContracts } from './route.ts';
import { settingRoutes } from './setting.ts';
import { systemRoutes } from './system.ts';
import { uploadRoutes } from './upload.ts';
import { userRoutes } from './user.ts';

const allRoutes = [
  loginRoutes,
  userRoutes,
  accountRoutes,
  friendRoutes,
  groupRoutes,
  groupJoiningRoutes,
  messageRoutes,
  popRoutes,
  replyRoutes,
  settingRoutes,
  administrationRoutes,
  announcementRoutes,
  uploadRoutes,
  fileRoutes,
  pictureRoutes,
  auditEventRoutes,
  explainRoutes,
  asOfRoutes,
  auditStreamRoutes,
  auditUploadRoutes,
  developmentRoutes,
  auditLogRoutes,
  liveAuditRoutes,
];

/**
 * The HTTP server of the API, not yet listening.
 * @param application what the routes work with
 * @param trust which proxies may name the client's address, protocol and host
 * @param sockets how many websockets this process has; null if it has no gateway
 */
export async function createServer(
  application: Application,
  trust: Trust = trustNone,
  sockets: () => number | null = () => null,
): Promise<FastifyInstance> {
  const server = await createHttp(application.logger, trust);
  logRequests(server, application.logger, () => cachedSettings(application.store));
  await guardBrowsers(server, application);
  const settings = () => cachedSettings(application.store);
  limitAddresses(server, settings);
  acceptMultipart(server);
  const served = gatherContracts(server);
  for (const routes of allRoutes) routes(server, application);
  systemRoutes(server, application, sockets);
  await pageRoutes(server, { socketAddress: (request) => givenAddress(settings().ws_address, request) });
  await documentationRoutes(server, [...served.values()], apiPrefixes);
  return server;
}
