import { sql } from 'kysely';
import { ApplicationId, Mid, ReplyId } from '../../contracts/ids.ts';
import { hedged } from '../postgres/hedged.ts';
import { createMidBlocks } from './mid-blocks.ts';
import type { AccountsDatabase } from './tables.ts';

/** The greatest ids that are in use; 0 where none is. */
export interface GreatestIds {
  readonly uid: number;
  readonly applicationId: number;
  readonly replyId: number;
  readonly mid: number;
}

/** Where ids come from that nobody may foresee twice: sequences in Postgres. `Names.reserve` gives uids. */
export interface Ids {
  /** So many new ids of applications. */
  nextApplicationIds(count: number): Promise<ApplicationId[]>;
  nextApplicationId(): Promise<ApplicationId>;
  nextReplyId(): Promise<ReplyId>;
  /**
   * A message's id. They come in blocks, so that it costs no round trip as a rule; a block is kept for
   * a second at most, so that the ids of several processes are roughly in the order of time.
   */
  nextMid(): Promise<Mid>;
  /** For how long messages' ids have been asked for without any coming, in milliseconds; 0 if none are asked for. */
  stalled(): number;
  /**
   * At the start, and after a log was restored: every later id is above these. It is safe while
   * other processes take ids; those that they took before are not called back.
   */
  raiseAbove(greatest: GreatestIds): Promise<void>;
}

type SequenceName = 'uid' | 'application_id' | 'reply_id' | 'mid';

export function createIds(database: AccountsDatabase): Ids {
  const mids = createMidBlocks({ take: (count) => hedged(() => takeMids(database, count)) });

  async function next(sequence: SequenceName): Promise<number> {
    const { rows } = await sql<{ id: string | number }>`
      select nextval(${`accounts.${sequence}`}::regclass) as id`.execute(database);
    return Number(rows[0]?.id);
  }

  async function nextApplicationIds(count: number): Promise<ApplicationId[]> {
    const { rows } = await sql<{ id: string | number }>`
      select nextval('accounts.application_id') as id from generate_series(1, ${count}::int)`.execute(
      database,
    );
    return rows.map(({ id }) => ApplicationId.parse(Number(id)));
  }

  return {
    nextApplicationIds,
    nextApplicationId: async () => ApplicationId.parse(await next('application_id')),
    nextReplyId: async () => ReplyId.parse(await next('reply_id')),
    nextMid: () => mids.next(),
    stalled: () => mids.stalled(),
    async raiseAbove(greatest) {
      await raise(database, 'uid', greatest.uid);
      await raise(database, 'application_id', greatest.applicationId);
      await raise(database, 'reply_id', greatest.replyId);
      await raise(database, 'mid', greatest.mid);
      mids.drop();
    },
  };
}

async function takeMids(database: AccountsDatabase, count: number): Promise<Mid[]> {
  const { rows } = await sql<{ id: string | number }>`
    select nextval('accounts.mid') as id from generate_series(1, ${count}::int)`.execute(database);
  return rows.map(({ id }) => Mid.parse(Number(id)));
}

async function raise(database: AccountsDatabase, sequence: SequenceName, greatest: number): Promise<void> {
  const table = sql.id('accounts', sequence);
  const tooLow = sql`
    ${greatest}::bigint > case when is_called then last_value else last_value - 1 end`;
  const { rows } = await sql`select from ${table} where ${tooLow}`.execute(database);
  // As a rule, and for good: a sequence only grows.
  if (rows.length === 0) return;
  await database.transaction().execute(async (transaction) => {
    // A change that changes nothing, for its lock: no other process takes an id between look and raise.
    await sql`alter sequence ${table} owned by none`.execute(transaction);
    await sql`
      select setval(${`accounts.${sequence}`}::regclass, ${greatest}::bigint) from ${table}
      where ${tooLow}`.execute(transaction);
  });
}
