import { pino } from 'pino';
import { readModelCategories } from '../../contracts/events/index.ts';
import { rebuild } from '../../projections/rebuild/rebuild.ts';
import { type EventLog, startOfLog } from '../../services/log/log.ts';
import { type Cost, costOf } from './processor-time.ts';

/** What a rebuild made, and what it cost: the filling alone, and all, with indexes, the switch and the comparison. */
export interface RebuildCost {
  readonly rows: number;
  /** How many tables differ from those before. */
  readonly differing: number;
  readonly filling: Cost;
  readonly whole: Cost;
}

/** Makes the read models again. @param postgres the pid of the server */
export async function measureRebuild(
  log: EventLog,
  database: string,
  postgres: number,
): Promise<RebuildCost> {
  const filled = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const filling = begun.promise.then(() => costOf(postgres, () => filled.promise));
  const end = log.extent(startOfLog, await log.end(readModelCategories));
  let count = 0;
  const results: Awaited<ReturnType<typeof rebuild>>[] = [];
  const whole = await costOf(postgres, async () => {
    const result = await rebuild({
      ...{ log, database, logger: pino({ level: 'silent' }), version: 'bench', maxDifferences: 1 },
      patient: false,
      onBegun: () => begun.resolve(),
      onFilled: (events) => {
        count += events;
        if (count >= end) filled.resolve();
      },
      signal: new AbortController().signal,
    });
    results.push(result);
  });
  filled.resolve();
  const [result = 'interrupted'] = results;
  if (typeof result === 'string') throw new Error(result);
  return {
    rows: result.rows,
    differing: Object.keys(result.counts).length,
    filling: await filling,
    whole,
  };
}
