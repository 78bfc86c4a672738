import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { promisify } from 'node:util';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { createHttp } from '../../services/api/http.ts';
import { type ConnectionLimits, connectionLimits } from '../../services/api/http-limits.ts';
import { trustNone } from '../../services/edge/proxies.ts';
import { silent } from './accounts.ts';

/** Limits of connections that a test can wait for. */
export const shortLimits: ConnectionLimits = {
  ...connectionLimits,
  ...{ headersMs: 300, checkMs: 50, silenceMs: 600, keepAliveMs: 300, bodyPeriodMs: 300, minBodyBytes: 100 },
  ...{ answerTimeoutMs: 300, maxUnreadBytes: 20_000_000, answerBytesPerSecond: 1e9 },
};

/** An HTTP server of the API with `shortLimits` and a few routes, to which tests speak byte by byte. */
export interface RawServer {
  readonly url: string;
  /** How many requests for `/never`, which is never answered, have reached their handler. */
  readonly asked: number;
  connections(): Promise<number>;
  /** Opens a connection. */
  open(): Promise<Socket>;
  close(): Promise<void>;
}

/** @param addRoutes adds further routes, before the server listens */
export async function startRawServer(
  logger: Logger = silent,
  addRoutes?: (server: FastifyInstance) => void,
): Promise<RawServer> {
  const server = await createHttp(logger, trustNone, shortLimits);
  let asked = 0;
  server.get('/small', async () => ({ small: true }));
  server.post('/', async ({ body }) => ({ body }));
  const { promise: never } = Promise.withResolvers<void>();
  server.get('/never', () => {
    asked += 1;
    return never;
  });
  server.server.on('upgrade', (_request, socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n'));
  addRoutes?.(server);
  const url = await server.listen({ port: 0, host: '127.0.0.1' });
  const { hostname, port } = new URL(url);
  return {
    url,
    get asked() {
      return asked;
    },
    connections: promisify(server.server.getConnections.bind(server.server)),
    async open() {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      return socket;
    },
    close: () => server.close(),
  };
}

/** A request, with more lines of headers, each with its end. */
export const ask = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;

/** A request with a body of JSON, or the beginning of one. */
export const post = (headers: string, body = '') =>
  `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${headers}\r\n\r\n${body}`;
