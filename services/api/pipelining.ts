import type { RequestListener, Server, ServerOptions } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply } from 'fastify';
import { Refusal } from '../../contracts/codes.ts';
import { createServer } from '../http-module.ts';
import { cutTinyPieces, PiecedRequest } from './bodies/body-pieces.ts';

/** Requests that are not answered yet, by connection. */
const underWay = new WeakMap<Socket, number>();

/**
 * An HTTP server that handles few requests of a connection at once. The first one beyond the maximum is refused by
 * the handler (`refusePipelined`). The next one closes the connection without any work: one packet may hold a thousand
 * requests, and refusing each would cost more than sending it.
 * @param max requests of one connection that are not answered yet
 */
export function createPipelineServer(options: ServerOptions, handler: RequestListener, max: number): Server {
  return createServer({ ...options, IncomingMessage: PiecedRequest }, (request, response) => {
    const { socket } = request;
    // The connection was cut, and the rest of its last packet is dropped, of which this request is a part.
    if (socket.writableEnded) return;
    cutTinyPieces(request, response);
    const count = (underWay.get(socket) ?? 0) + 1;
    underWay.set(socket, count);
    if (count > max + 1) {
      socket.destroy();
      return;
    }
    response.once('close', () => underWay.set(socket, (underWay.get(socket) ?? 1) - 1));
    handler(request, response);
  });
}

/**
 * Refuses a request if its connection has too many that are not answered yet, and closes the connection after it.
 * @throws Refusal tooMany
 */
export function refusePipelined(socket: Socket, { raw }: FastifyReply, max: number): void {
  if ((underWay.get(socket) ?? 0) <= max) return;
  // Further requests of the connection are not read: they were sent before their client could know.
  raw.shouldKeepAlive = false;
  throw new Refusal('tooMany');
}
