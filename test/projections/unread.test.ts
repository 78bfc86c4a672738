import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPool } from '../../services/postgres/pool.ts';
import { readDatabase } from '../../services/queries/tables.ts';
import { countUnread } from '../../services/queries/unread.ts';
import { uid } from '../support/events.ts';
import { history, Retelling } from '../support/histories.ts';
import { inBatchesOf, openWorld, silent, type World } from '../support/projecting.ts';

let world: World;
let pool: ReturnType<typeof createPool>;

beforeAll(async () => {
  world = await openWorld();
  pool = createPool(world.url, silent);
});

afterAll(async () => {
  await pool.end();
  await world.close();
});

describe('the running numbers', () => {
  it('equal a count one by one, after any history', async () => {
    const database = readDatabase(pool);
    await fc.assert(
      fc.asyncProperty(history, fc.integer({ min: 1, max: 20 }), async (steps, size) => {
        const retelling = new Retelling(steps);
        await startAnew(world);
        await world.given(...retelling.events);
        await world.project(inBatchesOf(size, world.log));
        for (const { who, conversation } of retelling.chats()) {
          expect([who, conversation, await countUnread(database, uid(who), conversation)]).toEqual([
            who,
            conversation,
            retelling.unread(who, conversation),
          ]);
        }
      }),
      { numRuns: 30 },
    );
  }, 120_000);
});

/** Empties the read models, and moves them past the histories before this one. */
async function startAnew({ forget, log, query }: World): Promise<void> {
  await forget();
  await query(`update followers.checkpoint set position = $1 where name = 'read'`, [await log.end()]);
}
