import { readModelCategories } from '../../contracts/events/index.ts';
import type { EventLog, Position } from '../log/log.ts';

/**
 * Measures for how long read models, or what else follows the log, have lacked an event of the log, in milliseconds; 0 if they lack none. It is the
 * greater of two durations: between the first missing and the last event, by the log's clock; and since the first
 * call that found the same event missing, by our monotonic clock. The two clocks, which may differ by minutes, are
 * never compared.
 * @param prefixes what the names of the streams begin with whose events count; by default those of the read models
 */
export function createLag(
  log: EventLog,
  prefixes: readonly string[] = readModelCategories,
): (checkpoint: Position) => Promise<number> {
  let missing: { readonly position: Position; readonly since: number } | undefined;
  return async (after) => {
    for await (const first of log.readAll({ after, prefixes, limit: 1 })) {
      const now = performance.now();
      if (missing?.position !== first.position) missing = { position: first.position, since: now };
      const last = await log.at(await log.end(prefixes));
      const apart = last === undefined ? 0 : last.recorded - first.recorded;
      return Math.max(1, Math.round(now - missing.since), apart);
    }
    missing = undefined;
    return 0;
  };
}
