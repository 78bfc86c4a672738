import { categories } from '../../contracts/events/index.ts';
import type { EventLog, Position } from '../log/log.ts';

/**
 * Measures for how long read models have lacked an event of the log, in milliseconds; 0 if they lack none.
 * The clock of the log's server is never compared with ours, which may differ by minutes: it is the greater of
 * what lies between the first missing event and the last one on the log's clock, and of how long the same event
 * has been missing at one call after the other on our monotonic clock.
 */
export function createLag(log: EventLog): (checkpoint: Position) => Promise<number> {
  let missing: { readonly position: Position; readonly since: number } | undefined;
  return async (after) => {
    for await (const first of log.readAll({ after, prefixes: categories, limit: 1 })) {
      const now = performance.now();
      if (missing?.position !== first.position) missing = { position: first.position, since: now };
      const last = await log.at(await log.end(categories));
      const apart = last === undefined ? 0 : last.recorded - first.recorded;
      return Math.max(1, Math.round(now - missing.since), apart);
    }
    missing = undefined;
    return 0;
  };
}
