import { afterAll, describe, expect, test } from 'vitest';
import { Mid } from '../../contracts/ids.ts';
import { createIds } from '../../services/accounts/ids.ts';
import { createMidBlocks } from '../../services/accounts/mid-blocks.ts';
import { openAccounts } from '../support/accounts.ts';

const accounts = await openAccounts();
const none = { uid: 0, applicationId: 0, replyId: 0, mid: 0 };
/** What the read models show to be in use. */
let inUse = none;
const here = createIds(accounts.database, async () => inUse);
const there = createIds(accounts.another(), async () => inUse);
afterAll(() => accounts.close());

async function nextUid(): Promise<number> {
  const { rows } = await accounts.pool.query("select nextval('accounts.uid') as uid");
  return rows[0].uid;
}

describe('ids', () => {
  test('of two processes that take 2,000 mids at once are all different', async () => {
    const mids = await Promise.all(
      Array.from({ length: 2000 }, (_, index) => (index % 2 ? here : there).nextMid()),
    );
    expect(new Set(mids).size).toBe(2000);
  });

  test('of applications and replies are different each time', async () => {
    const applications = await Promise.all(Array.from({ length: 20 }, () => here.nextApplicationId()));
    const replies = await Promise.all(Array.from({ length: 20 }, () => there.nextReplyId()));
    expect(new Set(applications).size).toBe(20);
    expect(new Set(replies).size).toBe(20);
  });
});

describe('raising', () => {
  test('a sequence that gave nothing yet: the next one is above, from 1 on', async () => {
    await here.raiseAbove(none);
    expect(await nextUid()).toBe(1);
    await here.raiseAbove({ ...none, uid: 1 });
    expect(await nextUid()).toBe(2);
  });

  test('puts every later id above, also those of a reserved block', async () => {
    await here.nextMid();
    await here.raiseAbove({ uid: 1000, applicationId: 2000, replyId: 3000, mid: 4000 });
    expect(await nextUid()).toBe(1001);
    expect(await here.nextApplicationId()).toBe(2001);
    expect(await here.nextReplyId()).toBe(3001);
    expect(await here.nextMid()).toBe(4001);
  });

  test('never lowers', async () => {
    const before = await nextUid();
    await here.raiseAbove({ ...none, uid: before - 1 });
    expect(await nextUid()).toBe(before + 1);
  });

  // Between the look at a sequence and its raising another process may take ids beyond the new value,
  // which setval would then give a second time. A client that has just reserved one, in a transaction that is
  // still open, plays that process: the raising must wait for it, and later ids for the raising.
  test('waits for those who are taking ids, and lets later ones wait', async () => {
    const waiting = async () => {
      const { rows } = await accounts.pool.query(
        `select count(*) from pg_locks where not granted
         and database = (select oid from pg_database where datname = current_database())`,
      );
      return rows[0].count;
    };
    const taker = await accounts.pool.connect();
    await taker.query("begin; select nextval('accounts.reply_id')");
    const raised = here.raiseAbove({ ...none, replyId: 10_000 });
    await expect.poll(waiting).toBe(1);
    const later = there.nextReplyId();
    await expect.poll(waiting).toBe(2);
    await taker.query("select setval('accounts.reply_id', 20_000); commit");
    taker.release();
    await raised;
    expect(await later).toBe(20_001);
  });
});

describe('sequences that are behind what is in use, as after a failover to an older copy', () => {
  test('are raised when the next id is reserved, not only at the start', async () => {
    const set = (to: number) =>
      accounts.pool.query(
        `select setval('accounts.mid', $1), setval('accounts.application_id', $1), setval('accounts.reply_id', $1)`,
        [to],
      );
    await set(50);
    inUse = { uid: 0, applicationId: 5_000, replyId: 6_000, mid: 7_000 };
    try {
      // Those of a reserved block were given out before.
      await expect.poll(() => there.nextMid(), { timeout: 5_000 }).toBeGreaterThan(7_000);
      expect(await here.nextApplicationIds(3)).toEqual([5_001, 5_002, 5_003]);
      expect(await there.nextApplicationId()).toBe(5_004);
      expect(await here.nextReplyId()).toBe(6_001);
    } finally {
      inUse = none;
      await here.raiseAbove(none);
    }
  });

  test('of uids are raised above one that was found in use', async () => {
    const before = await nextUid();
    await here.raiseUidsAbove(before + 10);
    expect(await nextUid()).toBe(before + 11);
  });
});

describe('blocks of mids', () => {
  /** A clock and a source that are turned by hand. */
  function setUp() {
    let time = 0;
    let last = 0;
    const taken: number[] = [];
    const blocks = createMidBlocks({
      now: () => time,
      fetch: async (count) => {
        taken.push(count);
        return Array.from({ length: count }, () => Mid.parse(++last));
      },
    });
    const give = async (count: number) => {
      const mids: number[] = [];
      for (let given = 0; given < count; given++) mids.push(await blocks.next());
      return mids;
    };
    return {
      taken,
      give,
      pass: (milliseconds: number) => {
        time += milliseconds;
      },
    };
  }

  test('are small if little is sent, and kept for at most a second', async () => {
    const { taken, give, pass } = setUp();
    expect(await give(2)).toEqual([1, 2]);
    pass(1000);
    expect(await give(1)).toEqual([17]);
    expect(taken).toEqual([16, 16]);
  });

  test('grow while they are used up within it, and shrink again', async () => {
    const { taken, give, pass } = setUp();
    await give(5000);
    expect(taken.at(-1)).toBe(512);
    for (let second = 0; second < 8; second++) {
      pass(1000);
      await give(1);
    }
    expect(taken.at(-1)).toBe(16);
  });

  test('are fetched before the current one is used up', async () => {
    const { taken, give } = setUp();
    await give(8);
    expect(taken).toHaveLength(1);
    await give(1);
    expect(taken).toHaveLength(2);
  });

  test('give every id once, and in ascending order to sequential calls', async () => {
    const { give } = setUp();
    const mids = await give(3000);
    expect(mids).toEqual(mids.toSorted((one, other) => one - other));
    expect(new Set(mids).size).toBe(3000);
  });

  test('reject those who wait if none can be had, and give again afterwards', async () => {
    let broken = true;
    const blocks = createMidBlocks({
      fetch: async () => {
        if (broken) throw new Error('away');
        return [Mid.parse(7)];
      },
    });
    await expect(blocks.next()).rejects.toThrow('away');
    broken = false;
    expect(await blocks.next()).toBe(7);
  });
});
