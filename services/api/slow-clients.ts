import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Refusal } from '../../contracts/codes.ts';
import { networkOf } from '../edge/client-network.ts';
import { answerUnread } from './envelope.ts';
import type { ConnectionLimits } from './http-limits.ts';
import { refusePipelined } from './pipelining.ts';

/**
 * Cuts off clients that hold a request or an answer: that send a body too slowly, that do not read a large
 * answer in time, that ask for more on one connection than they read. Refuses answers to callers who leave too
 * many bytes unread.
 */
export function cutSlowClients(server: FastifyInstance, limits: ConnectionLimits): void {
  const unread = new Map<string, number>();

  server.addHook('onRequest', async ({ raw }, reply) => {
    refusePipelined(raw.socket, reply, limits.pipelined);
    if (!raw.complete && bringsBody(raw)) watchBody(raw, limits);
  });

  server.addHook('onSend', async (request, reply, payload) => {
    const bytes = bytesOf(payload);
    if (bytes === 0) return payload;
    const caller = callerKey(request);
    const waiting = (unread.get(caller) ?? 0) + bytes;
    // One answer is always given, however large; so is a refusal, this one too.
    if (waiting > limits.unreadBytes && waiting > bytes && reply.statusCode < 400)
      throw new Refusal('tooMany');
    unread.set(caller, waiting);
    // Once its last byte is handed to the system, or the connection is gone.
    reply.raw.once('close', () => {
      const left = (unread.get(caller) ?? 0) - bytes;
      if (left > 0) unread.set(caller, left);
      else unread.delete(caller);
    });
    if (bytes > limits.smallAnswer) watchAnswer(reply, bytes, limits);
    return payload;
  });
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
): void {
  const patience = answerPatience + (bytes / answerBytesASecond) * 1000;
  const timer = setTimeout(() => raw.socket?.destroy(), patience);
  timer.unref();
  raw.once('close', () => clearTimeout(timer));
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
