import type { RequestListener, Server, ServerOptions } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply } from 'fastify';
import { Refusal } from '../../contracts/codes.ts';
import { createServer } from '../http-module.ts';
import { cutTinyPieces, PiecedRequest } from './bodies/body-pieces.ts';
import { answerUnread } from './envelope.ts';
import { silenceParser } from './silent-parser.ts';

/** Requests that are not answered yet, by connection. */
const underWay = new WeakMap<Socket, number>();

/**
 * An HTTP server that handles few requests of a connection at once. The first one beyond the maximum is refused by
 * the handler (`refusePipelined`). The next one closes the connection, and the rest of its packet is not even parsed:
 * one packet may hold a thousand requests, and refusing each would cost more than sending it.
 * @param max requests of one connection that are not answered yet
 */
export function createPipelineServer(options: ServerOptions, handler: RequestListener, max: number): Server {
  const receive: RequestListener<typeof PiecedRequest> = (request, response) => {
    const { socket } = request;
    // The connection was cut off, and this request is a part of its last packet.
    if (socket.writableEnded || socket.destroyed) {
      silenceParser(socket);
      return;
    }
    const count = (underWay.get(socket) ?? 0) + 1;
    underWay.set(socket, count);
    if (count > max + 1) {
      socket.destroy();
      silenceParser(socket);
      return;
    }
    response.once('close', () => underWay.set(socket, (underWay.get(socket) ?? 1) - 1));
    cutTinyPieces(request, response);
    if (lacksHost(request)) answerUnread('unreadable', socket);
    else handler(request, response);
  };
  // Node would answer requests without a host, and those that expect anything but "100-continue", without counting them.
  const server = createServer(
    { ...options, IncomingMessage: PiecedRequest, requireHostHeader: false },
    receive,
  );
  return server.on('checkExpectation', receive);
}

/** Whether a request has no `Host`, which HTTP/1.1 prescribes. */
function lacksHost({ httpVersion, headers }: PiecedRequest): boolean {
  return httpVersion === '1.1' && headers.host === undefined;
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
