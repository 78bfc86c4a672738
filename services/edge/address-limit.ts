import type { FastifyInstance } from 'fastify';
import { countAddressRequest, type RequestLimits } from './rate-limit.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** How a route's requests count against their address: by default as calls; `own`: the route counts them. */
    counts?: 'light' | 'own';
  }
}

/**
 * Counts each request against its address's limit before its body is read, also for paths that do not exist.
 * Call it before the routes are registered.
 */
export function limitAddresses(
  server: FastifyInstance,
  settings: () => Pick<RequestLimits, 'limit_address'>,
): void {
  server.addHook('onRequest', (request, _reply, next) => {
    const { counts = 'call' } = request.routeOptions.config ?? {};
    if (counts !== 'own') countAddressRequest(request.ip, settings(), counts);
    next();
  });
}
