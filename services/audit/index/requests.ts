import type { EventLog } from '../../log/log.ts';
import type { FindRequest, RequestEvent } from '../explain/request-events.ts';
import { AuditSearch, type Queries } from './search.ts';

/** How many events of one request are shown: one that removes many people from many groups may have thousands. */
const maxEventsOfRequest = 50;

interface Row extends Omit<RequestEvent, 'revision'> {
  readonly correlation: string;
  readonly revision: string;
}

/**
 * Finds the events of requests in the index, of each request the first ones; undefined if there is no index of this log.
 * @throws LogFailure, what the database throws
 */
export async function requestsInIndex(log: EventLog, queries: Queries): Promise<FindRequest | undefined> {
  if ((await new AuditSearch(queries).coverage(log)) === undefined) return undefined;
  return async (correlationIds) => {
    const { rows } = await queries.query<Row>(
      `select asked.correlation, e.type, e.stream, e.revision, e.position, e.id
         from unnest($1::text[]) asked (correlation)
         cross join lateral (
           select * from audit.events e where e.correlation = asked.correlation collate "C"
            order by e.number limit ${maxEventsOfRequest}
         ) e
        order by e.number`,
      [[...new Set(correlationIds)]],
    );
    const found = new Map<string, RequestEvent[]>();
    for (const { correlation, revision, ...event } of rows) {
      const events = found.get(correlation) ?? [];
      events.push({ ...event, revision: Number(revision) });
      found.set(correlation, events);
    }
    return found;
  };
}
