import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { Gateway } from './gateway/gateway.ts';
import type { Program } from './lifecycle.ts';

/** Takes the gateway's requests and websockets from a server, and closes the sockets before it closes. */
export async function serveGateway(server: FastifyInstance, gateway: Gateway): Promise<void> {
  await server.register(gateway.routes);
  gateway.attach(server.server);
  // The sockets would otherwise hold the server open.
  server.addHook('preClose', () => gateway.drain());
}

/**
 * Listens where the environment says, as the program's last part. When the program ends, it listens for
 * `DRAIN_SECONDS` more, in which `/ready` says 503, so that a load balancer stops sending requests to it first.
 * @returns `http://address:port`
 * @throws Error, in words for who starts the program
 */
export async function listen(program: Program, server: FastifyInstance): Promise<string> {
  const { host, port, drainSeconds } = program.environment;
  return program.start(
    'http',
    async () => {
      try {
        return await server.listen({ host, port });
      } catch (error) {
        throw explainListening(error, host, port);
      }
    },
    () => ({
      stop: async () => {
        await delay(drainSeconds * 1000);
        await server.close();
      },
    }),
  );
}

/**
 * Why a server cannot listen where it was told to, in words for who starts the program.
 * @returns the error to throw in place of the one given.
 */
export function explainListening(error: unknown, host: string, port: number): Error {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const place = `port ${port} on ${host}`;
  switch (code) {
    case 'EADDRINUSE':
      return new Error(`${place} is taken by another program: stop it, or set another PORT`, {
        cause: error,
      });
    case 'EACCES':
      return new Error(`${place} may not be used by this user: set a PORT above 1023`, { cause: error });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new Error(`${host} is no address of this machine: set another HOST`, { cause: error });
    default:
      return error instanceof Error ? error : new Error(String(error));
  }
}
