import type pg from 'pg';
import type { Logger } from 'pino';
import { z } from 'zod';
import { NumberId, type Uid } from '../../../contracts/ids.ts';
import type { App } from '../../app-keys/signature.ts';
import { friendshipsOf, friendsThen } from '../../audit/as-of/friends.ts';
import { logAtMoment } from '../../audit/as-of/log-at-moment.ts';
import { PastDatabase } from '../../audit/as-of/past-database.ts';
import { presentOf } from '../../audit/as-of/present.ts';
import type { Query } from '../../audit/as-of/query.ts';
import { withPastReadModels } from '../../audit/as-of/read-models.ts';
import { groupThen, personThen, settingsThen } from '../../audit/as-of/states.ts';
import { AuditSearch } from '../../audit/index/search.ts';
import { type Moment, recordsUntil } from '../../audit/moment.ts';
import { abortable, type ReadableLog } from '../../audit/readable-log.ts';
import { tryDecode, UnreadableEvent } from '../../log/codec.ts';
import { type EventLog, startOfLog } from '../../log/log.ts';
import { findEverNamed } from '../../queries/people.ts';
import { readDatabase } from '../../queries/tables.ts';
import type { Asked } from './answer.ts';
import type { ReadQuery } from './read-query.ts';

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
    case 'call':
      return answerCall(parts, query, moment);
  }
}

async function indexOf({ fromLog, log, pool }: PastQueryParts) {
  if (!pool || fromLog) return undefined;
  const coverage = await new AuditSearch(pool).coverage(log);
  return coverage && { queries: pool, coverage };
}

async function answerCall(
  parts: PastQueryParts,
  { path, search }: Extract<Query, { kind: 'call' }>,
  moment: Moment,
): Promise<string> {
  const { app, log, pool, logger, host, protocol, keep, fromLog, signal, onNoIndex, onApplied, onLost } =
    parts;
  if (!pool) throw new NoDatabase('queries of the API need a database: set DATABASE_URL');
  // All calls of the API: a command that folds one stream needs none of them.
  const { withAnswer } = await import('./answer.ts');
  const asked: Asked = { path, search, host, protocol };
  const past = new PastDatabase(pool);
  const then = { app, logger, now: moment.time, log: logAtMoment(log, moment), database: past.queries };
  return withAnswer(then, asked, async (answer, query) => {
    // Read models of the whole log have everybody, so nobody need be found first.
    const { scopeOf } = await import('./scope.ts');
    const named = fromLog || query === undefined ? undefined : await namedBy(pool, log, query, moment);
    const scope = scopeOf(query, named);
    const database = pool.options.connectionString ?? pool.options;
    const options = { log, database, moment, scope, keep, fromLog, signal, onNoIndex, onApplied, onLost };
    return withPastReadModels(options, (schema) => {
      past.schema = schema;
      return answer();
    });
  });
}

/**
 * Whom a query names otherwise than by a uid. A person's username and number never change, so that the present read
 * models tell; a deleted account's username may have been given anew. Who registered later than they show is found in
 * the log.
 * @throws LogFailure, what the database throws
 */
async function namedBy(
  pool: pg.Pool,
  log: ReadableLog,
  { parameters }: ReadQuery,
  moment: Moment,
): Promise<readonly Uid[]> {
  const username = z.string().safeParse(parameters.username).data?.toLowerCase();
  const numberId = NumberId.safeParse(parameters.nid).data;
  if (username === undefined && numberId === undefined) return [];
  const present = await presentOf(pool);
  const named = new Set(await findEverNamed(readDatabase(pool), { username, numberId }));
  const beyond = log.readAll({ after: present?.position ?? startOfLog, prefixes: ['user-'] });
  for await (const record of recordsUntil(beyond, moment)) {
    const event = tryDecode(record);
    if (event instanceof UnreadableEvent || event.type !== 'UserRegistered') continue;
    const { data } = event;
    if (data.username.toLowerCase() === username || data.numberId === numberId) named.add(data.uid);
  }
  return [...named];
}
