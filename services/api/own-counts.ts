import type { SystemCounts } from '../../contracts/http/system.ts';
import { appends, batches, calls, deliveries } from '../measurements.ts';

type Mutable<Counts> = { -readonly [Name in keyof Counts]: Counts[Name] };

/**
 * What this process has counted since it was first asked.
 * @returns reads the counts; the first reading begins to count, since measuring takes time
 */
export function ownCounts(): () => SystemCounts {
  const counts: Mutable<SystemCounts> = {
    ...{ calls: 0, refused: 0, callMs: 0 },
    ...{ appends: 0, projected: 0, pushes: 0, delivered: 0 },
  };
  let counting = false;
  return () => {
    if (!counting) count(counts);
    counting = true;
    return { ...counts };
  };
}

function count(counts: Mutable<SystemCounts>): void {
  calls.subscribe(({ code, ms }) => {
    counts.calls++;
    if (code !== 0) counts.refused++;
    counts.callMs += ms;
  });
  appends.subscribe(({ events, outcome }) => {
    if (outcome === 'appended') counts.appends += events;
  });
  batches.subscribe(({ events, pushes }) => {
    counts.projected += events;
    counts.pushes += pushes;
  });
  deliveries.subscribe(() => {
    counts.delivered++;
  });
}
