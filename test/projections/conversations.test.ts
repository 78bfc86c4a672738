import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DomainEvent } from '../../contracts/events/index.ts';
import { befriended, between, created, inGroup, mid, registered, sent, uid } from '../support/events.ts';
import { inBatchesOf, newEventId, openWorld, testTime, type World } from '../support/projecting.ts';

let world: World;

beforeAll(async () => {
  world = await openWorld();
  await world.given(
    registered(1, '甲'),
    registered(2, '乙', '/b.png'),
    registered(3, '丙'),
    befriended(1, 2),
  );
});

afterAll(() => world.close());

/** The rows of a conversation. */
function messagesOf(conversation: string): Promise<Record<string, unknown>[]> {
  return world.query('select * from read.messages where conversation = $1 order by sequence', [conversation]);
}

describe('a message between two', () => {
  it('stands once, in both lists, and both hear it, by the names they use', async () => {
    const before = await world.given({
      type: 'FriendRemarked',
      data: { by: uid(2), friend: uid(1), remark: '老甲' },
    });
    await world.given(sent(between(1, 2), 1, 100, '你好', { uniqueId: 'x', contentHash: 'h' }));
    await world.project();
    expect(await messagesOf('f1-2')).toEqual([
      expect.objectContaining({
        sequence: '1',
        mid: '100',
        sender: '1',
        content: '你好',
        timestamp: String(testTime / 1000),
        sub_type: 'message',
        state: 'normal',
        unique_id: 'x',
        content_hash: 'h',
        counted: '1',
        own: '1',
      }),
    ]);
    expect(await world.rows('inbox')).toMatchObject([
      { uid: '1', conversation: 'f1-2', read_sequence: '0', hidden_sequence: null },
      { uid: '2', conversation: 'f1-2', read_sequence: '0', hidden_sequence: null },
    ]);
    const payload = {
      from: '1',
      from_name: '甲',
      from_avatar: '/static/img/avatar.jpg',
      to: '2',
      to_name: '乙',
      to_avatar: '/b.png',
      content: '你好',
      timestamp: testTime / 1000,
      type: 'friend',
      sub_type: 'message',
      mid: 100,
      uniqueId: 'x',
    };
    expect(await world.pushes(before)).toEqual([
      { channel: 'user-2', event: 'message', data: { ...payload, from_name: '老甲' } },
      { channel: 'user-1', event: 'message', data: payload },
    ]);
  });

  it('goes between strangers too', async () => {
    const before = await world.log.end();
    await world.given(sent(between(1, 3), 3, 110, '在吗'));
    await world.project();
    expect(await messagesOf('f1-3')).toHaveLength(1);
    expect((await world.pushes(before)).map(({ channel }) => channel)).toEqual(['user-1', 'user-3']);
  });

  it('counts each sender by themselves and all together', async () => {
    const talk = between(2, 3);
    await world.given(
      sent(talk, 2, 120, 'a'),
      sent(talk, 3, 121, 'b'),
      sent(talk, 2, 122, 'c'),
      sent(talk, 2, 123, 'd'),
    );
    await world.project();
    const numbers = (await messagesOf('f2-3')).map(({ sequence, counted, own }) => [sequence, counted, own]);
    expect(numbers).toEqual([
      ['1', '1', '1'],
      ['2', '2', '1'],
      ['3', '3', '2'],
      ['4', '4', '3'],
    ]);
  });

  it('shows what it quotes as that stands now', async () => {
    await world.given(
      registered(4, '丁'),
      registered(5, '戊'),
      sent(between(4, 5), 4, 130, '一'),
      sent(between(4, 5), 4, 131, '二'),
      sent(between(4, 5), 4, 132, '三'),
      taken('MessageRevoked', between(4, 5), 4, 131, 2),
    );
    const before = await world.given({
      type: 'MessageDeleted',
      data: { conversation: between(4, 5), by: uid(4), mid: mid(132), sequence: 3, scope: 'all' },
    });
    for (const [index, quoted] of [130, 131, 132].entries()) {
      await world.given(sent(between(4, 5), 5, 133 + index, '?', { quoteMid: mid(quoted) }));
    }
    await world.project();
    const quotes = (await world.pushes(before))
      .filter(({ channel }) => channel === 'user-4')
      .map(({ data }) => [data.quote_mid, data.quote_content]);
    expect(quotes).toEqual([
      [130, '一'],
      [131, '此消息已撤回'],
      [132, ''],
    ]);
  });

  it('keeps a NUL out of the tables', async () => {
    await world.given(sent(between(1, 5), 1, 140, 'a\0b'));
    await world.project();
    expect(await messagesOf('f1-5')).toMatchObject([{ content: 'a\u{fffd}b' }]);
  });
});

const taken = (
  type: 'MessageRevoked',
  conversation: ReturnType<typeof between>,
  by: number,
  message: number,
  sequence: number,
) => ({ type, data: { conversation, by: uid(by), mid: mid(message), sequence } }) as const;

describe('a message in a group', () => {
  it('is one row and one push, whatever the number of members', async () => {
    await world.given(created(50, '群', 1, 2, 3));
    await world.project();
    const others = () => world.query(`select * from read.inbox where uid <> 2 order by uid, conversation`);
    const before = await others();
    const place = await world.given(
      sent(inGroup(50), 2, 200, '@[甲](1) @all', { mentions: [uid(1), 'all'] }),
    );
    await world.project();
    expect(await messagesOf('g50')).toMatchObject([{ sequence: '1', mentions: ['1', '0'] }]);
    expect(await others()).toEqual(before);
    const last = await world.query('select channel, data from read.push where place = $1', [place]);
    expect(last).toHaveLength(1);
    expect(last[0]).toMatchObject({ channel: 'group-50' });
  });

  it('names the group and who spoke', async () => {
    const before = await world.given(created(51, '另一群', 3, 2));
    await world.given(sent(inGroup(51), 2, 210, '早'));
    await world.project();
    expect(await world.pushes(before)).toEqual([
      {
        channel: 'group-51',
        event: 'message',
        data: {
          from: '2',
          from_name: '乙',
          from_avatar: '/b.png',
          to: '51',
          to_name: '另一群',
          to_avatar: '/h5/group/avatar?uid=3,2',
          content: '早',
          timestamp: testTime / 1000,
          type: 'group',
          sub_type: 'message',
          mid: 210,
        },
      },
    ]);
  });
});

describe('taking a message back', () => {
  const talk = between(10, 11);

  it('leaves it as revoked and tells both, each by the name of their chat', async () => {
    await world.given(
      registered(10, '子'),
      registered(11, '丑'),
      sent(talk, 10, 300, 'x'),
      sent(talk, 10, 301, 'y'),
    );
    const before = await world.given(sent(talk, 10, 302, 'z'));
    await world.given(taken('MessageRevoked', talk, 10, 301, 2));
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

  it('changes what the conversation keeps of its newest message', async () => {
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
    expect(await last(taken('MessageRevoked', pair, 12, 320, 1))).toMatchObject({ newest_state: 'normal' });
    expect(await last(taken('MessageRevoked', pair, 12, 321, 2))).toMatchObject({ newest_state: 'revoked' });
    expect(await last({ type: 'MessageDeleted', data: deleted })).toEqual(nothing);
    expect(await last(sent(pair, 13, 322, 'c'))).toMatchObject({ newest_mid: '322' });
    expect(await last(sent(pair, 13, 323, 'c'.repeat(501)))).toEqual(nothing);
  });

  it('twice is once', async () => {
    const before = await world.given(taken('MessageRevoked', talk, 10, 300, 1));
    await world.given(taken('MessageRevoked', talk, 10, 300, 1));
    await world.project();
    expect(await world.pushes(before)).toEqual([]);
  });

  it('can still be followed by deleting, which takes the last trace', async () => {
    const before = await world.log.end();
    const data = { conversation: talk, by: uid(10), mid: mid(300), sequence: 1, scope: 'all' } as const;
    await world.given({ type: 'MessageDeleted', data }, taken('MessageRevoked', talk, 10, 300, 1));
    await world.project();
    expect((await messagesOf('f10-11'))[0]).toMatchObject({ state: 'deleted' });
    expect((await world.pushes(before)).map(({ event }) => event)).toEqual([
      'message_delete',
      'message_delete',
    ]);
  });

  it('in a group tells the group', async () => {
    await world.given(created(52, '群', 1, 2), sent(inGroup(52), 2, 310, 'x'));
    const before = await world.log.end();
    await world.given(taken('MessageRevoked', inGroup(52), 1, 310, 1));
    await world.project();
    expect(await world.pushes(before)).toEqual([
      { channel: 'group-52', event: 'revoke', data: { type: 'group', id: 52, mid: 310, uid: 1 } },
    ]);
  });

  it('for oneself alone touches the message of nobody else, and tells only one\u2019s own devices', async () => {
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
});

describe('a log that may hold a repeat', () => {
  it('counts the first message of an event id and leaves no trace of a later one', async () => {
    const forgetful = inBatchesOf(100, world.log, 'recently');
    const id = newEventId();
    const talk = between(20, 21);
    const once = sent(talk, 20, 400, 'once', { uniqueId: 'u' });
    const before = await world.given(registered(20, '寅'), registered(21, '卯'));
    await world.append(once, { id });
    await world.project(forgetful);
    // This log takes an id twice only under different streams; the fold looks at no stream.
    await world.append(once, { id, stream: 'conversation-f20-21-again' });
    await world.append(once, { id, stream: 'conversation-f20-21-again2' });
    await world.given(sent(talk, 20, 402, 'other', { uniqueId: 'v' }));
    await world.project(forgetful);
    expect((await messagesOf('f20-21')).map(({ mid, sequence }) => [mid, sequence])).toEqual([
      ['400', '1'],
      ['402', '2'],
    ]);
    expect((await world.pushes(before)).map(({ data }) => data.mid)).toEqual([400, 400, 402, 402]);
  });
});
