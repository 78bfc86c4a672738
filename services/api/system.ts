import type { FastifyInstance } from 'fastify';
import { readModelCategories } from '../../contracts/events/index.ts';
import { systemStatus } from '../../contracts/http/system.ts';
import { startOfLog } from '../log/log.ts';
import { findConnections, findFollowers, findGateways, findSizes } from '../queries/system.ts';
import type { Application } from './application.ts';
import { ownCounts } from './own-counts.ts';
import { serve } from './route.ts';

/** What the console shows of the system, again and again. */
export function systemRoutes(
  server: FastifyInstance,
  application: Application,
  sockets: () => number | null,
): void {
  const { database, log, now } = application;
  const counted = ownCounts();

  serve(server, application, systemStatus, async ({ request }) => {
    const [end, followers, gateways, sizes, connections] = await Promise.all([
      log.end(readModelCategories),
      findFollowers(database, log),
      findGateways(database),
      findSizes(database),
      findConnections(database),
    ]);
    const { user, system } = process.cpuUsage();
    return {
      data: {
        time: now(),
        log: { end, extent: log.extent(startOfLog, end) },
        ...{ followers, gateways, sockets: sockets(), sizes, connections },
        client: {
          address: request.ip,
          connection: request.socket.remoteAddress ?? '',
          forwarded_for: request.headers['x-forwarded-for']?.toString() ?? null,
        },
        process: {
          pid: process.pid,
          started: Math.round(performance.timeOrigin),
          memory: process.memoryUsage.rss(),
          cpuMs: Math.round((user + system) / 1000),
        },
        counted: counted(),
      },
    };
  });
}
