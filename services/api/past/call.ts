import type pg from 'pg';
import { z } from 'zod';
import { NumberId, type Uid } from '../../../contracts/ids.ts';
import { logAtMoment } from '../../audit/as-of/log-at-moment.ts';
import { PastDatabase } from '../../audit/as-of/past-database.ts';
import { presentOf } from '../../audit/as-of/present.ts';
import type { Query } from '../../audit/as-of/query.ts';
import { withPastReadModels } from '../../audit/as-of/read-models.ts';
import { type Moment, recordsUntil } from '../../audit/moment.ts';
import type { ReadableLog } from '../../audit/readable-log.ts';
import { tryDecode, UnreadableEvent } from '../../log/codec.ts';
import { startOfLog } from '../../log/log.ts';
import { findEverNamed } from '../../queries/people.ts';
import { readDatabase } from '../../queries/tables.ts';
import { type Asked, withAnswer } from './answer.ts';
import type { PastQueryParts } from './query.ts';
import type { ReadQuery } from './read-query.ts';
import { scopeOf } from './scope.ts';

/**
 * Answers a query of the API over the read models of a moment.
 * @returns the body of the answer, byte for byte
 * @throws QueryError, the signal's reason, UnreadableEvent, LogFailure, what the database throws
 */
export async function answerCall(
  parts: PastQueryParts & { readonly pool: pg.Pool },
  { path, search }: Extract<Query, { kind: 'call' }>,
  moment: Moment,
): Promise<string> {
  const { app, log, pool, logger, host, protocol, keep, fromLog, signal, onNoIndex, onApplied, onLost } =
    parts;
  const asked: Asked = { path, search, host, protocol };
  const past = new PastDatabase(pool);
  const then = { app, logger, now: moment.time, log: logAtMoment(log, moment), database: past.queries };
  return withAnswer(then, asked, async (answer, query) => {
    // Read models of the whole log have everybody, so nobody need be found first.
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
