import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DomainEvent } from '../../contracts/events/index.ts';
import { PushBook, writePushes } from '../../projections/runner/push-book.ts';
import { writingSession } from '../../projections/runner/session.ts';
import { openClient } from '../../services/postgres/connect.ts';
import { pipeline } from '../../services/postgres/pipeline.ts';
import { between, created, inGroup, mid, registered, revoked, sent, uid } from '../support/events.ts';
import { openWorld, type World } from '../support/projecting.ts';

let world: World;

beforeAll(async () => {
  world = await openWorld();
  await world.given(registered(1, '甲'), registered(2, '乙'));
});

afterAll(() => world.close());

/** The rows of a conversation. */
function messagesOf(conversation: string): Promise<Record<string, unknown>[]> {
  return world.query('select * from read.messages where conversation = $1 order by sequence', [conversation]);
}

describe('a message that is revoked or deleted', () => {
  const talk = between(10, 11);

  it('is stored as revoked, and pushed to both, each with the id of their own chat', async () => {
    await world.given(
      registered(10, '子'),
      registered(11, '丑'),
      sent(talk, 10, 300, 'x'),
      sent(talk, 10, 301, 'y'),
    );
    const before = await world.given(sent(talk, 10, 302, 'z'));
    await world.given(revoked(talk, 10, 301, 2));
    await world.project();
    expect((await messagesOf('f10-11')).map(({ state }) => state)).toEqual(['normal', 'revoked', 'normal']);
    expect(
      await world.query(`select dead_sequence from read.conversations where conversation = 'f10-11'`),
    ).toEqual([{ dead_sequence: '2' }]);
    expect(await world.pushes(before)).toEqual([
      { channel: 'user-10', event: 'revoke', data: { type: 'friend', id: 11, mid: 301, uid: 10 } },
      { channel: 'user-11', event: 'revoke', data: { type: 'friend', id: 10, mid: 301, uid: 10 } },
    ]);
  });

  it('is changed in the conversation’s copy of the newest message', async () => {
    const pair = between(12, 13);
    const kept = () =>
      world.query(
        `select newest_mid, newest_content, newest_state from read.conversations where conversation = 'f12-13'`,
      );
    const last = async (...events: DomainEvent[]) => {
      await world.given(...events);
      await world.project();
      return (await kept())[0];
    };
    const nothing = { newest_mid: null, newest_content: null, newest_state: null };
    const deleted = { conversation: pair, by: uid(12), mid: mid(321), sequence: 2, scope: 'all' } as const;
    expect(
      await last(
        registered(12, '寅'),
        registered(13, '卯'),
        sent(pair, 12, 320, 'a'),
        sent(pair, 12, 321, 'b'),
      ),
    ).toEqual({ newest_mid: '321', newest_content: 'b', newest_state: 'normal' });
    expect(await last(revoked(pair, 12, 320, 1))).toMatchObject({ newest_state: 'normal' });
    expect(await last(revoked(pair, 12, 321, 2))).toMatchObject({ newest_state: 'revoked' });
    expect(await last({ type: 'MessageDeleted', data: deleted })).toEqual(nothing);
    expect(await last(sent(pair, 13, 322, 'c'))).toMatchObject({ newest_mid: '322' });
    expect(await last(sent(pair, 13, 323, 'c'.repeat(501)))).toEqual(nothing);
  });

  it('is pushed once if it is revoked twice', async () => {
    const before = await world.given(revoked(talk, 10, 300, 1));
    await world.given(revoked(talk, 10, 300, 1));
    await world.project();
    expect(await world.pushes(before)).toEqual([]);
  });

  it('can be deleted after it was revoked', async () => {
    const before = await world.log.end();
    const data = { conversation: talk, by: uid(10), mid: mid(300), sequence: 1, scope: 'all' } as const;
    await world.given({ type: 'MessageDeleted', data }, revoked(talk, 10, 300, 1));
    await world.project();
    expect((await messagesOf('f10-11'))[0]).toMatchObject({ state: 'deleted' });
    expect((await world.pushes(before)).map(({ event }) => event)).toEqual([
      'message_delete',
      'message_delete',
    ]);
  });

  it('is pushed to the group, in a group', async () => {
    await world.given(created(52, '群', 1, 2), sent(inGroup(52), 2, 310, 'x'));
    const before = await world.log.end();
    await world.given(revoked(inGroup(52), 1, 310, 1));
    await world.project();
    expect(await world.pushes(before)).toEqual([
      { channel: 'group-52', event: 'revoke', data: { type: 'group', id: 52, mid: 310, uid: 1 } },
    ]);
  });

  it('for one person stays for everyone else, and is pushed to that person’s devices only', async () => {
    const data = { conversation: talk, by: uid(11), mid: mid(302), sequence: 3, scope: 'self' } as const;
    const before = await world.log.end();
    await world.given({ type: 'MessageDeleted', data }, { type: 'MessageDeleted', data });
    await world.project();
    expect((await messagesOf('f10-11'))[2]).toMatchObject({ state: 'normal' });
    expect(await world.rows('message_deletions')).toEqual([
      { uid: '11', conversation: 'f10-11', sequence: '3' },
    ]);
    expect(await world.pushes(before)).toEqual([
      { channel: 'user-11', event: 'message_delete', data: { type: 'friend', id: 10, mid: 302, uid: 11 } },
    ]);
  });

  it('is found among the pushes that hold a text, which are few', async () => {
    const book = new PushBook({ epoch: 'e', after: '', namesMessages: true });
    book.takeBack(301, 'revoked');
    const client = await openClient(world.url, writingSession('test', 'read'));
    try {
      for (const { name, text, values } of writePushes(book, 1)) {
        const [rows] = await pipeline(client, [{ name: `explain ${name}`, text: `explain ${text}`, values }]);
        const plan = rows?.map((row) => row['QUERY PLAN']).join('\n');
        expect(plan).toMatch(/Index Scan (using|on) push_(text_mid|quote_mid)_idx/);
      }
    } finally {
      await client.end();
    }
  });
});
