import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Settings } from '../../contracts/settings.ts';
import { keptAddress } from '../edge/client-network.ts';

/**
 * Writes a line for each request at the level `debug`: who asked for which call, the code of the answer, how long it
 * took. It holds no parameters, tokens or texts: a call is named by the path of its route, and of the address the line has
 * as much as events keep.
 * @param settings those of now
 */
export function logRequests(
  server: FastifyInstance,
  logger: Logger,
  settings: () => Pick<Settings, 'audit_address'>,
): void {
  if (!logger.isLevelEnabled('debug')) return;
  server.addHook('onResponse', (request, reply, next) => {
    const { id, ip, method, who } = request;
    const line = {
      reqId: id,
      who,
      ...{ method, call: callOf(request), code: codeOf(reply), ms: Math.round(reply.elapsedTime) },
      address: keptAddress(ip, settings().audit_address),
    };
    logger.debug(line, 'a request was answered');
    next();
  });
}

/** The path of a request's route, without its prefix: what a client makes up never becomes a name. */
export function callOf({ routeOptions: { config, url } }: FastifyRequest): string {
  return config.contract?.path ?? url ?? 'none';
}

/** The code of the envelope; of an error in another form, its status. */
export function codeOf({ envelopeCode, statusCode }: FastifyReply): number {
  return envelopeCode === 0 && statusCode >= 400 ? statusCode : envelopeCode;
}
