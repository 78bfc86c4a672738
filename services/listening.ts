import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { errorCode } from './error-code.ts';
import type { Gateway } from './gateway/gateway.ts';
import type { Program } from './lifecycle.ts';

/** Where a program listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** The variables that give an address, for messages. */
export interface AddressVariables {
  readonly host: string;
  readonly port: string;
}

const programVariables: AddressVariables = { host: 'HOST', port: 'PORT' };
export const metricsVariables: AddressVariables = { host: 'METRICS_HOST', port: 'METRICS_PORT' };

/** A URL of what listens on an address of ours; one that means all addresses is asked on this machine. */
export function urlOf({ host, port }: Address): string {
  const asked = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${asked.includes(':') ? `[${asked}]` : asked}:${port}`;
}

/**
 * Adds the gateway's routes and websockets to a server. The sockets are closed once it accepts no connections any more: their
 * clients come again at once, and are to reach another gateway.
 */
export async function serveGateway(server: FastifyInstance, gateway: Gateway): Promise<void> {
  await server.register(gateway.routes);
  gateway.attach(server.server);
  // Open sockets would keep the server from closing.
  server.addHook('preClose', () => gateway.drain());
}

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  /** For how long it goes on when the program ends, so that a load balancer stops sending requests to it first. */
  readonly drainSeconds?: number;
  /** By default those of the program's own address. */
  readonly variables?: AddressVariables;
}

/**
 * Listens, as the last part of a program.
 * @param options by default those of the environment
 * @returns `http://address:port`
 * @throws Error with a message for the operator
 */
export async function listen(
  program: Program,
  server: FastifyInstance,
  { host, port, drainSeconds = 0, variables }: ListenOptions = program.environment,
): Promise<string> {
  return program.start(
    'http',
    async () => {
      try {
        return await server.listen({ host, port });
      } catch (error) {
        throw explainListening(error, { host, port }, variables);
      }
    },
    () => ({
      stop: async () => {
        await delay(drainSeconds * 1000);
        await server.drain();
        await server.close();
      },
    }),
  );
}

/**
 * Translates an error of listening into one with a message for the operator.
 * @returns the error to throw instead
 */
export function explainListening(
  error: unknown,
  { host, port }: Address,
  variables: AddressVariables = programVariables,
): Error {
  const place = `port ${port} on ${host}`;
  switch (errorCode(error)) {
    case 'EADDRINUSE':
      return new Error(`${place} is used by another program: stop it, or set another ${variables.port}`, {
        cause: error,
      });
    case 'EACCES':
      return new Error(`${place} may not be used by this user: set a ${variables.port} above 1023`, {
        cause: error,
      });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new Error(`${host} is not an address of this machine: set another ${variables.host}`, {
        cause: error,
      });
    default:
      return error instanceof Error ? error : new Error(String(error));
  }
}
