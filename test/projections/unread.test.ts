import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { history, Retelling } from '../support/histories.ts';
import { inBatchesOf, openWorld, type World } from '../support/projecting.ts';

let world: World;

beforeAll(async () => {
  world = await openWorld();
});

afterAll(() => world.close());

/** What the running numbers say of one chat: a few look-ups, whatever was said. */
const unread = `
  select
    c.counted - coalesce(seen.counted, 0)
    - (coalesce(sent.own, 0) - coalesce(own_seen.own, 0))
    - (select count(*) from read.messages m
        where m.conversation = c.conversation and m.sequence > i.read_sequence
          and m.sub_type = 'message' and m.sender <> i.uid
          and (m.state <> 'normal' or exists (
            select from read.message_deletions d
             where d.uid = i.uid and d.conversation = m.conversation and d.sequence = m.sequence)))
      as unread
  from read.inbox i
  join read.conversations c using (conversation)
  left join read.senders sent on sent.conversation = i.conversation and sent.uid = i.uid
  left join read.messages seen on seen.conversation = i.conversation and seen.sequence = i.read_sequence
  left join lateral (
    select own from read.messages m
     where m.conversation = i.conversation and m.sender = i.uid and m.sequence <= i.read_sequence
     order by m.sequence desc limit 1) own_seen on true
  where i.uid = $1 and i.conversation = $2`;

describe('the running numbers', () => {
  it('give what counting one by one gives, over any history', async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.integer({ min: 1, max: 20 }), async (steps, size) => {
        const retelling = new Retelling(steps);
        await startAnew(world);
        await world.given(...retelling.events);
        await world.project(inBatchesOf(size, world.log));
        for (const { who, conversation } of retelling.chats()) {
          const rows = await world.query<{ unread: string }>(unread, [who, conversation]);
          expect([who, conversation, Number(rows[0]?.unread)]).toEqual([
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
  await query('update read.checkpoint set position = $1', [await log.end()]);
}
