import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply } from 'fastify';
import { Refusal } from '../../contracts/codes.ts';

/** Requests under way, by their connection. */
const underWay = new WeakMap<Socket, number>();

/**
 * An HTTP server that takes few requests of a connection at once. The first beyond them is for the handler to
 * refuse (`refusePipelined`). With the next one the connection is cut off, before any work is done: one packet
 * brings a thousand requests, and refusing each costs more than sending it.
 * @param most requests of one connection under way
 */
export function createPipelineServer(options: ServerOptions, handler: RequestListener, most: number): Server {
  return createServer(options, (request, response) => {
    const { socket } = request;
    const count = (underWay.get(socket) ?? 0) + 1;
    underWay.set(socket, count);
    if (count > most + 1) {
      socket.destroy();
      return;
    }
    response.once('close', () => underWay.set(socket, (underWay.get(socket) ?? 1) - 1));
    handler(request, response);
  });
}

/**
 * Refuses the request of a connection that has too many under way, and closes the connection after it.
 * @throws Refusal tooMany
 */
export function refusePipelined(socket: Socket, { raw }: FastifyReply, most: number): void {
  if ((underWay.get(socket) ?? 0) <= most) return;
  // Its further requests are not read: they have been sent before their client could know.
  raw.shouldKeepAlive = false;
  throw new Refusal('tooMany');
}
