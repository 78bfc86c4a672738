import type { FastifyInstance } from 'fastify';
import { type RequestLimits, takeAddressTurn } from './rate-limit.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** How a route's requests count against their address: by default as a call. `own`: the route counts them itself. */
    counts?: 'light' | 'own';
  }
}

/**
 * Counts each request against its address's limit before its body is read: also of paths that are not served.
 * To be called before the routes are registered.
 */
export function limitAddresses(
  server: FastifyInstance,
  settings: () => Pick<RequestLimits, 'limit_address'>,
): void {
  server.addHook('onRequest', async ({ ip, routeOptions }) => {
    const { counts = 'call' } = routeOptions.config ?? {};
    if (counts !== 'own') takeAddressTurn(ip, settings(), counts);
  });
}
