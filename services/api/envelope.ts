import type { Socket } from 'node:net';
import type { FastifyReply } from 'fastify';
import { type CodeName, codes, Refusal, statusOf } from '../../contracts/codes.ts';
import { unreadableText } from '../commands/unreadable-events.ts';
import { errorCode } from '../error-code.ts';
import { FileStoreFailure } from '../files/file-store.ts';
import { STATUS_CODES } from '../http-module.ts';
import { UnreadableEvent } from '../log/codec.ts';
import { LogFailure } from '../log/log.ts';
import { saysAway } from '../postgres/away.ts';

declare module 'fastify' {
  interface FastifyReply {
    /** The code of the envelope that was sent; 0 until a request is refused. */
    envelopeCode: number;
  }
}

/** The form of every answer (docs/behaviour.md, The envelope). */
export interface Envelope {
  readonly code: number;
  readonly msg: string;
  readonly data: unknown;
}

/** The answer to a request that was carried out. */
export function done(data: unknown): Envelope {
  return { code: 0, msg: 'ok', data };
}

/** The envelope of a refusal. It has `data` for clients that read it before the code. */
export function refusalEnvelope(reason: CodeName, msg: string = codes[reason].msg): Envelope {
  return { code: codes[reason].code, msg, data: [] };
}

/** Answers with a refusal's envelope and the status of its code. */
export function refuse(reply: FastifyReply, { reason, message }: Refusal): FastifyReply {
  const envelope = refusalEnvelope(reason, message);
  reply.header('cache-control', 'no-store');
  reply.envelopeCode = envelope.code;
  return reply.code(statusOf(reason)).send(envelope);
}

const byStatus: Readonly<Record<number, CodeName>> = {
  400: 'unreadable',
  404: 'noRoute',
  405: 'wrongMethod',
  408: 'tooSlow',
  413: 'tooLarge',
  415: 'wrongType',
  429: 'tooMany',
  503: 'notReady',
};

/** No space, or no quota of the file system, is left for files or for the database. */
const diskFull = /^(ENOSPC|EDQUOT|53100)$/;

/**
 * The refusal that an error becomes: its own, that of the status which the server gave it, or `unexpected`, which
 * reveals nothing.
 */
export function refusalFor(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof LogFailure) {
    return new Refusal(error.kind === 'unavailable' && isDiskFull(error.cause) ? 'noSpace' : 'notReady');
  }
  if (error instanceof UnreadableEvent) return new Refusal('notReady', unreadableText);
  if (error instanceof FileStoreFailure) return new Refusal('notReady', '文件存储暂不可用,请稍后再试');
  if (!(error instanceof Error)) return new Refusal('unexpected');
  if (isDiskFull(error)) return new Refusal('noSpace');
  if (saysAway(error)) return new Refusal('notReady');
  const statusCode = 'statusCode' in error ? error.statusCode : undefined;
  const reason = typeof statusCode === 'number' ? byStatus[statusCode] : undefined;
  if (reason) return new Refusal(reason);
  return new Refusal(
    typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? 'unreadable' : 'unexpected',
  );
}

function isDiskFull(error: unknown): boolean {
  return diskFull.test(errorCode(error) ?? '');
}

/** Why Node's server rejected a request, by the code of its error. */
const unreadBecause: Readonly<Record<string, 'tooLarge' | 'tooSlow'>> = {
  HPE_HEADER_OVERFLOW: 'tooLarge',
  ERR_HTTP_REQUEST_TIMEOUT: 'tooSlow',
};

/** Answers bytes that are no HTTP request, which reach no handler and no hook. */
export function answerUnreadable(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
  else answerUnread(unreadBecause[error.code ?? ''] ?? 'unreadable', socket);
}

/** Answers a request that was not read to its end, and closes the connection without waiting for the client. */
export function answerUnread(reason: 'unreadable' | 'tooLarge' | 'tooSlow', socket: Socket): void {
  const { status } = codes[reason];
  const body = Buffer.from(JSON.stringify(refusalEnvelope(reason)));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${body.length}`,
    'Connection: close',
  ];
  socket.write(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]));
  socket.destroySoon();
}
