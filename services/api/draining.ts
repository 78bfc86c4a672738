import { Server } from 'node:net';
import { setTimeout as delay, setImmediate as immediate } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Has clients leave before the server is closed: it accepts no new connections, and each answer ends its connection. It
     * resolves when the last connection that was kept open after an answer has been idle for 500 ms.
     */
    drain(): Promise<void>;
  }
}

/**
 * A client that got an answer less than this ago, and may keep its connection, may have sent the next request already.
 * If the connection were closed now, that request would fail, and the client could not know whether it was carried out.
 */
const quietMs = 500;

/**
 * Adds `drain` to a server. A client that keeps its connection may send a request in the moment in which the
 * server closes it; so the server first says so in its answers, and such a client opens another connection, to another
 * process.
 */
export function addDraining(server: FastifyInstance): void {
  let draining = false;
  /** When the last answer was given that lets its client keep the connection, on the clock of `performance.now()`. */
  let keptAt = Number.NEGATIVE_INFINITY;
  server.addHook('onSend', (_request, { raw }, payload, next) => {
    if (draining) raw.shouldKeepAlive = false;
    next(null, payload);
  });
  server.addHook('onResponse', (_request, { raw }, next) => {
    if (raw.shouldKeepAlive) keptAt = performance.now();
    next();
  });
  server.decorate('drain', async () => {
    draining = true;
    // After the connections that the system has ready are accepted: it resets those that wait when the listening ends.
    await immediate();
    // The method of the HTTP server would also close the connections that are idle at the moment.
    Server.prototype.close.call(server.server);
    const left = () => keptAt + quietMs - performance.now();
    for (let leftMs = left(); leftMs > 0; leftMs = left()) await delay(leftMs);
  });
}
