import type { Decoded } from '../../services/log/codec.ts';
import { sqlState } from '../../services/postgres/sql-state.ts';

/** An event that a projection cannot apply. No projector goes past it, unless an operator skips it. */
export class ProjectionFault extends Error {
  override readonly name = 'ProjectionFault';
  readonly event: Decoded;

  constructor(event: Decoded, cause: unknown) {
    const { type, stream, revision } = event;
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`event ${type} at ${stream}@${revision} cannot be projected: ${why}`, { cause });
    this.event = event;
  }
}

/**
 * Whether an error is caused by what was to be written, so that trying again is of no use: Postgres found data
 * broken (class 22) or rules violated (23), or the values could not be sent.
 */
export function isCausedByData(error: unknown): boolean {
  const state = sqlState(error);
  return state === undefined ? error instanceof TypeError : /^2[23]/.test(state);
}
