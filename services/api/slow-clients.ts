import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { finished } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Refusal } from '../../contracts/codes.ts';
import { networkOf } from '../client-network.ts';
import { answerUnread } from './envelope.ts';
import type { ConnectionLimits } from './http-limits.ts';

/**
 * Cuts off clients that hold a request or an answer: that send a body too slowly, that do not read a large
 * answer in time, that ask for more on one connection than they read. Refuses answers to callers who leave too
 * many bytes unread.
 */
export function cutSlowClients(server: FastifyInstance, limits: ConnectionLimits): void {
  const unread = new Map<string, number>();

  server.addHook('onRequest', async ({ raw }, reply) => {
    countPipelined(raw.socket, reply, limits.pipelined);
    if (!raw.complete && bringsBody(raw)) watchBody(raw, limits);
  });

  server.addHook('onSend', async (request, reply, payload) => {
    const bytes = bytesOf(payload);
    if (bytes <= limits.smallAnswer) return payload;
    const caller = callerKey(request);
    const waiting = (unread.get(caller) ?? 0) + bytes;
    // One answer is always given, however large.
    if (waiting > limits.unreadBytes && waiting > bytes) throw new Refusal('tooMany');
    unread.set(caller, waiting);
    watchAnswer(reply, bytes, limits, () => {
      const left = (unread.get(caller) ?? 0) - bytes;
      if (left > 0) unread.set(caller, left);
      else unread.delete(caller);
    });
    return payload;
  });
}

/** Requests under way, by their connection. */
const underWay = new WeakMap<Socket, number>();

function countPipelined(socket: Socket, { raw }: FastifyReply, most: number): void {
  const count = (underWay.get(socket) ?? 0) + 1;
  underWay.set(socket, count);
  raw.once('close', () => underWay.set(socket, (underWay.get(socket) ?? 1) - 1));
  if (count <= most) return;
  // Its further requests are not read: they have been sent before their client could know.
  raw.shouldKeepAlive = false;
  throw new Refusal('tooMany');
}

function bringsBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Cuts the connection off in which a body comes too slowly. What we do not read ourselves is not held against it. */
function watchBody(request: IncomingMessage, { bodyPeriod, bodyBytes }: ConnectionLimits): void {
  const { socket } = request;
  let seen = socket.bytesRead;
  const timer = setInterval(() => {
    const came = socket.bytesRead - seen;
    seen = socket.bytesRead;
    const full = request.readableLength >= request.readableHighWaterMark;
    if (came < bodyBytes && !full) answerUnread('tooSlow', socket);
  }, bodyPeriod);
  timer.unref();
  const stop = () => clearInterval(timer);
  request.once('end', stop);
  request.once('close', stop);
}

/** Cuts the connection off whose client does not read an answer in time. */
function watchAnswer(
  { raw }: FastifyReply,
  bytes: number,
  { answerPatience, answerBytesASecond }: ConnectionLimits,
  onEnd: () => void,
): void {
  const patience = answerPatience + (bytes / answerBytesASecond) * 1000;
  const timer = setTimeout(() => raw.socket?.destroy(), patience);
  timer.unref();
  finished(raw, { readable: false }, () => {
    clearTimeout(timer);
    onEnd();
  });
}

/** The bytes of an answer that lies in memory as a whole; a stream reads on only as its client does. */
function bytesOf(payload: unknown): number {
  if (typeof payload === 'string') return Buffer.byteLength(payload);
  return payload instanceof Uint8Array ? payload.length : 0;
}

function callerKey({ caller, ip }: FastifyRequest): string {
  if (caller?.kind === 'user') return `user ${caller.uid}`;
  return caller?.kind === 'server' ? `server ${ip}` : networkOf(ip);
}
