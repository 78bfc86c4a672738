import type { Logger } from 'pino';
import { saysAway } from '../postgres/away.ts';

/** How far lines are apart at least, in milliseconds: what goes wrong may go wrong for every client at once. */
const everyMs = 1_000;

/**
 * Logs why clients are told to come again, at most once a second; not that the database is away, which is logged by what
 * watches it (services/postgres/outage.ts).
 */
export class UnexpectedFailures {
  readonly #logger: Logger;
  #loggedAt = Number.NEGATIVE_INFINITY;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  note(error: unknown): void {
    const now = performance.now();
    if (saysAway(error) || now - this.#loggedAt < everyMs) return;
    this.#loggedAt = now;
    this.#logger.error({ err: error }, 'what a client asked of the gateway failed unexpectedly');
  }
}
