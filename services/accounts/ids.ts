import { sql } from 'kysely';
import { ApplicationId, Mid, ReplyId } from '../../contracts/ids.ts';
import { hedged } from '../postgres/hedged.ts';
import type { AccountsDatabase } from './accounts-tables.ts';
import { createMidBlocks } from './mid-blocks.ts';

/** The greatest ids that are in use; 0: none is. */
export interface GreatestIds {
  readonly uid: number;
  readonly applicationId: number;
  readonly replyId: number;
  readonly mid: number;
}

/** Ids from sequences in Postgres. uids come from `Names.reserve`. */
export interface Ids {
  /** `count` new ids of applications. */
  nextApplicationIds(count: number): Promise<ApplicationId[]>;
  nextApplicationId(): Promise<ApplicationId>;
  nextReplyId(): Promise<ReplyId>;
  /**
   * A message's id. They are fetched in blocks, so that most cost no round trip; a block is kept for at most one
   * second, so that the ids of several processes are roughly in the order of time.
   */
  nextMid(): Promise<Mid>;
  /** For how many milliseconds a request for message ids has gone without an answer; 0: there is none. */
  stalledMs(): number;
  /**
   * Makes every later id greater than these: at the start, and after a log was restored. It is safe while other
   * processes reserve ids; ids that they reserved before are not recalled.
   */
  raiseAbove(greatest: GreatestIds): Promise<void>;
  /** Makes every later uid greater than this one, which turned out to be in use. */
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
 * @param inUse the greatest ids that are known to be in use. Each id is compared with them, since after a failover
 *   the tables may be older than the log.
 */
export function createIds(database: AccountsDatabase, inUse: () => Promise<GreatestIds>): Ids {
  /** Reserves ids of a sequence, all greater than those in use. */
  async function reserve(sequence: SequenceName, count: number): Promise<number[]> {
    for (;;) {
      const [ids, greatest] = await Promise.all([nextValues(database, sequence, count), inUse()]);
      const floor = greatest[nameOf[sequence]];
      if (ids.every((id) => id > floor)) return ids;
      await raise(database, sequence, floor);
    }
  }

  const mids = createMidBlocks({
    fetch: async (count) => (await hedged(() => reserve('mid', count))).map((id) => Mid.parse(id)),
  });

  async function one(sequence: SequenceName): Promise<number> {
    const [id] = await reserve(sequence, 1);
    if (id === undefined) throw new Error(`the sequence ${sequence} gave no value`);
    return id;
  }

  return {
    nextApplicationIds: async (count) =>
      (await reserve('application_id', count)).map((id) => ApplicationId.parse(id)),
    nextApplicationId: async () => ApplicationId.parse(await one('application_id')),
    nextReplyId: async () => ReplyId.parse(await one('reply_id')),
    nextMid: () => mids.next(),
    stalledMs: () => mids.stalledMs(),
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

async function nextValues(
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
  // The usual case, and it stays so: a sequence only grows.
  if (rows.length === 0) return;
  await database.transaction().execute(async (transaction) => {
    // Changes nothing, but locks the sequence: no other process gets an id between the check and the raise.
    await sql`alter sequence ${table} owned by none`.execute(transaction);
    await sql`
      select setval(${`accounts.${sequence}`}::regclass, ${greatest}::bigint) from ${table}
      where ${tooLow}`.execute(transaction);
  });
}
