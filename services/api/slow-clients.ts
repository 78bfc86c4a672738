import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { Refusal } from '../../contracts/codes.ts';
import { callerKey } from './caller.ts';
import { answerUnread } from './envelope.ts';
import type { ConnectionLimits } from './http-limits.ts';
import { refusePipelined } from './pipelining.ts';

/**
 * Closes connections of clients that send a body too slowly, do not read a large answer in time, or send more requests
 * on one connection than they read answers. Refuses answers to callers with too many unread bytes.
 */
export function cutSlowClients(server: FastifyInstance, limits: ConnectionLimits): void {
  const unread = new Map<string, number>();

  // Hooks that every request passes do not wait, and return no promise.
  server.addHook('onRequest', ({ raw }, reply, next) => {
    refusePipelined(raw.socket, reply, limits.maxPipelined);
    if (!raw.complete && bringsBody(raw)) watchBody(raw, limits);
    next();
  });

  server.addHook('onSend', (request, reply, payload, next) => {
    const bytes = bytesOf(payload);
    // An answer to a client that has gone is dropped, and nothing says when.
    if (bytes === 0 || reply.raw.closed) return next();
    const caller = callerKey(request);
    const waiting = (unread.get(caller) ?? 0) + bytes;
    // One answer of any size is always sent; so are refusals, including this one.
    if (waiting > limits.maxUnreadBytes && waiting > bytes && reply.statusCode < 400)
      throw new Refusal('tooMany');
    unread.set(caller, waiting);
    // When the last byte is handed to the system, or the connection is closed.
    reply.raw.once('close', () => {
      const left = (unread.get(caller) ?? 0) - bytes;
      if (left > 0) unread.set(caller, left);
      else unread.delete(caller);
    });
    if (bytes > limits.smallAnswerBytes) watchAnswer(reply, bytes, limits);
    next();
  });
}

/** Calls `act` when the connection of an answer has closed: at once if its client has gone already, as that is reported once. */
export function onceClosed(response: ServerResponse, act: () => void): void {
  if (response.closed) act();
  else response.once('close', act);
}

/** Whether a body follows the headers of a request. */
export function bringsBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Closes the connection if a body arrives too slowly, unless we are the ones who do not read. */
function watchBody(request: IncomingMessage, { bodyPeriodMs, minBodyBytes }: ConnectionLimits): void {
  const { socket } = request;
  let seen = socket.bytesRead;
  const timer = setInterval(() => {
    const came = socket.bytesRead - seen;
    seen = socket.bytesRead;
    const full = request.readableLength >= request.readableHighWaterMark;
    const slow = came < minBodyBytes && !full;
    // A request that was answered before its body had come gets no event when its connection closes.
    if (slow || socket.destroyed) stop();
    if (slow && !socket.destroyed) answerUnread('tooSlow', socket);
  }, bodyPeriodMs);
  timer.unref();
  const stop = () => clearInterval(timer);
  request.once('end', stop);
  request.once('close', stop);
}

/** Closes the connection if its client does not read an answer in time. */
function watchAnswer(
  { raw }: FastifyReply,
  bytes: number,
  { answerTimeoutMs, answerBytesPerSecond }: ConnectionLimits,
): void {
  const timeoutMs = answerTimeoutMs + (bytes / answerBytesPerSecond) * 1000;
  const timer = setTimeout(() => raw.socket?.destroy(), timeoutMs);
  timer.unref();
  raw.once('close', () => clearTimeout(timer));
}

/** The bytes of an answer in memory; 0 for a stream, which reads only as fast as its client. */
function bytesOf(payload: unknown): number {
  if (typeof payload === 'string') return Buffer.byteLength(payload);
  return payload instanceof Uint8Array ? payload.length : 0;
}
