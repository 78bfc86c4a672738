import type { FastifyRequest } from 'fastify';
import { FairQueue } from '../../fair-queue.ts';
import { shareOf } from '../caller.ts';

/** Smaller bodies are parsed at once, in less than half a millisecond. */
const smallBytes = 16 * 1024;

/**
 * Large bodies take milliseconds of the only thread, before the call itself waits for its turn. After one of a caller
 * half of the time is left to others.
 */
const parsing = new FairQueue({ maxRunning: Number.POSITIVE_INFINITY, maxRunningEach: 1, maxRestMs: 100 });

/** Large bodies of one caller that wait to be parsed: 13 MB of memory. */
const maxWaiting = 50;

/** Receives a body that was parsed, or why it could not be. */
type Done = (error: Error | null, value?: unknown) => void;

/** Parses a body, a large one when it is the turn of its caller; Refusal tooMany if too many of theirs wait. */
export function parseInTurn(
  request: FastifyRequest,
  body: Buffer,
  done: Done,
  parse: (parsed: Done) => void,
): void {
  if (body.length <= smallBytes || request.caller?.kind === 'server') parse(done);
  else parsing.run(shareOf(request, maxWaiting), async () => parse(done)).catch(done);
}
