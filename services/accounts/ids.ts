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
  /** Every later uid is above this one, which turned out to be in use. */
  raiseUidsAbove(uid: number): Promise<void>;
}

type SequenceName = 'uid' | 'application_id' | 'reply_id' | 'mid';

const nameOf = {
  uid: 'uid',
  application_id: 'applicationId',
  reply_id: 'replyId',
  mid: 'mid',
} as const satisfies Record<SequenceName, keyof GreatestIds>;

/**
 * @param inUse the greatest ids that are known to be in use. What a sequence gives is compared with them:
 *   tables that are older than the log, as after a failover, may be found behind at any time.
 */
export function createIds(database: AccountsDatabase, inUse: () => Promise<GreatestIds>): Ids {
  /** So many ids of a sequence, all above what is in use. */
  async function take(sequence: SequenceName, count: number): Promise<number[]> {
    for (;;) {
      const [ids, greatest] = await Promise.all([takeFrom(database, sequence, count), inUse()]);
      const floor = greatest[nameOf[sequence]];
      if (ids.every((id) => id > floor)) return ids;
      await raise(database, sequence, floor);
    }
  }

  const mids = createMidBlocks({
    take: async (count) => (await hedged(() => take('mid', count))).map((id) => Mid.parse(id)),
  });

  async function one(sequence: SequenceName): Promise<number> {
    const [id] = await take(sequence, 1);
    if (id === undefined) throw new Error(`the sequence ${sequence} gave nothing`);
    return id;
  }

  return {
    nextApplicationIds: async (count) =>
      (await take('application_id', count)).map((id) => ApplicationId.parse(id)),
    nextApplicationId: async () => ApplicationId.parse(await one('application_id')),
    nextReplyId: async () => ReplyId.parse(await one('reply_id')),
    nextMid: () => mids.next(),
    stalled: () => mids.stalled(),
    async raiseAbove(greatest) {
      await raise(database, 'uid', greatest.uid);
      await raise(database, 'application_id', greatest.applicationId);
      await raise(database, 'reply_id', greatest.replyId);
      await raise(database, 'mid', greatest.mid);
      mids.drop();
    },
    raiseUidsAbove: (uid) => raise(database, 'uid', uid),
  };
}

async function takeFrom(
  database: AccountsDatabase,
  sequence: SequenceName,
  count: number,
): Promise<number[]> {
  const { rows } = await sql<{ id: string | number }>`
    select nextval(${`accounts.${sequence}`}::regclass) as id
      from generate_series(1, ${count}::int)`.execute(database);
  return rows.map(({ id }) => Number(id));
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
