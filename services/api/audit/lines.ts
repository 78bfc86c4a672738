import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { Refusal } from '../../../contracts/codes.ts';
import { onceClosed } from '../slow-clients.ts';

/** How often an empty line is sent, so that proxies and clients see that the answer goes on. */
const heartbeatMs = 10_000;

/** How many answers of this kind one process works on: each reads the log for as long as its client listens. */
const maxAnswers = 10;

/** Writes one line. Resolves when the client can take more. @throws the signal's reason */
export type WriteLine = (line: object) => Promise<void>;

/** Sends an answer that grows: lines of JSON, with empty ones between. */
export type SendLines = (
  reply: FastifyReply,
  produce: (write: WriteLine, signal: AbortSignal) => Promise<void>,
) => FastifyReply;

/**
 * Answers that last for as long as their client listens, and end with the server.
 * @returns sends one; a failure after the first line is a line with `error`; it throws Refusal tooMany
 */
export function growingAnswers(server: FastifyInstance, onFailure: (error: unknown) => void): SendLines {
  const open = new Set<AbortController>();
  server.addHook('preClose', async () => {
    for (const one of open) one.abort();
  });
  return (reply, produce) => {
    if (open.size >= maxAnswers) throw new Refusal('tooMany');
    const ending = new AbortController();
    const { signal } = ending;
    const lines = new PassThrough();
    const heartbeat = setInterval(() => {
      if (!lines.writableNeedDrain) lines.write('\n');
    }, heartbeatMs);
    const write: WriteLine = async (line) => {
      signal.throwIfAborted();
      if (!lines.write(`${JSON.stringify(line)}\n`)) await once(lines, 'drain', { signal });
    };
    open.add(ending);
    onceClosed(reply.raw, () => ending.abort());
    void produce(write, signal)
      .catch((error: unknown) => {
        if (signal.aborted) return;
        onFailure(error);
        lines.write(`${JSON.stringify({ error: 'it could not be carried out' })}\n`);
      })
      .finally(() => {
        clearInterval(heartbeat);
        open.delete(ending);
        lines.end();
      });
    // A proxy that collects answers would keep the lines back.
    return reply.type('application/x-ndjson; charset=utf-8').header('x-accel-buffering', 'no').send(lines);
  };
}
