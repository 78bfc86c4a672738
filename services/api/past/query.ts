import type pg from 'pg';
import type { Logger } from 'pino';
import type { App } from '../../app-keys/signature.ts';
import { friendshipsOf, friendsThen } from '../../audit/as-of/friends.ts';
import type { Query } from '../../audit/as-of/query.ts';
import { groupThen, personThen, settingsThen } from '../../audit/as-of/states.ts';
import { AuditSearch } from '../../audit/index/search.ts';
import type { Moment } from '../../audit/moment.ts';
import { abortable } from '../../audit/readable-log.ts';
import type { EventLog } from '../../log/log.ts';

/** What is read from the beginning of the log for want of an index: `all groups` with all people. */
export type ReadWhole = 'all friendships' | 'all events' | 'all groups';

/** What queries about a moment are answered with. */
export interface PastQueryParts {
  readonly app: App;
  readonly log: EventLog;
  /** The present database; undefined if there is none beside the log: then only folded states are answered. */
  readonly pool: pg.Pool | undefined;
  readonly logger: Logger;
  /** Under which host and protocol a query is asked: an answer may name the websocket's address. */
  readonly host: string;
  readonly protocol: string;
  /** Whether read models that are made stay for further queries about the moment. */
  readonly keep: boolean;
  /** Whether the log alone is read: no present read models, and no index of the log. */
  readonly fromLog: boolean;
  readonly signal: AbortSignal;
  /** Called before much of the log is read because there is no index of it, or it is not to be used. @throws what forbids it */
  readonly onNoIndex: (reads: ReadWhole) => void;
  /** Called with the number of events of which read models were made. */
  readonly onApplied?: ((events: number) => void) | undefined;
  /** Called if the present read models lack messages that the log has: these are then taken from the log. */
  readonly onLost?: (() => void) | undefined;
}

/** A query of the API needs a database, in which the read models of the moment are made. */
export class NoDatabase extends Error {
  override readonly name = 'NoDatabase';
}

/**
 * Answers a query about a moment.
 * @returns JSON: the state, or the answer of the API, byte for byte
 * @throws QueryError, NotFound, NoDatabase, the signal's reason, UnreadableEvent, LogFailure, what the database throws
 */
export async function answerQuery(parts: PastQueryParts, query: Query, moment: Moment): Promise<string> {
  const log = abortable(parts.log, parts.signal);
  switch (query.kind) {
    case 'group':
      return JSON.stringify(await groupThen(log, query.gid, moment));
    case 'user':
      return JSON.stringify(await personThen(log, query.uid, moment));
    case 'settings':
      return JSON.stringify(await settingsThen(log, moment));
    case 'friends': {
      const index = await indexOf(parts);
      if (!index) parts.onNoIndex('all friendships');
      const friendships = await friendshipsOf(log, index, query.uid, moment);
      return JSON.stringify(await friendsThen(log, query.uid, friendships, moment));
    }
    case 'call': {
      const { pool } = parts;
      if (!pool) throw new NoDatabase('queries of the API need a database: set DATABASE_URL');
      // All calls of the API and what builds their statements: a command that folds one stream needs none of them.
      const { answerCall } = await import('./call.ts');
      return answerCall({ ...parts, pool }, query, moment);
    }
  }
}

async function indexOf({ fromLog, log, pool }: PastQueryParts) {
  if (!pool || fromLog) return undefined;
  const coverage = await new AuditSearch(pool).coverage(log);
  return coverage && { queries: pool, coverage };
}
