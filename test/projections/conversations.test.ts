import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  befriended,
  between,
  created,
  inGroup,
  mid,
  registered,
  revoked,
  sent,
  uid,
} from '../support/events.ts';
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

describe('a message between two people', () => {
  it('is stored once, listed for both, and pushed to both with the names that they use', async () => {
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

  it('may be sent between strangers', async () => {
    const before = await world.log.end();
    await world.given(sent(between(1, 3), 3, 110, '在吗'));
    await world.project();
    expect(await messagesOf('f1-3')).toHaveLength(1);
    expect((await world.pushes(before)).map(({ channel }) => channel)).toEqual(['user-1', 'user-3']);
  });

  it('has a running number of its sender and one of the conversation', async () => {
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

  it('is pushed with the present state of the message that it quotes', async () => {
    await world.given(
      registered(4, '丁'),
      registered(5, '戊'),
      sent(between(4, 5), 4, 130, '一'),
      sent(between(4, 5), 4, 131, '二'),
      sent(between(4, 5), 4, 132, '三'),
      revoked(between(4, 5), 4, 131, 2),
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

  it('is stored with U+FFFD in place of NUL, which Postgres refuses', async () => {
    await world.given(sent(between(1, 5), 1, 140, 'a\0b'));
    await world.project();
    expect(await messagesOf('f1-5')).toMatchObject([{ content: 'a\u{fffd}b' }]);
  });
});

describe('a message in a group', () => {
  it('is one row and one push, for any number of members', async () => {
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
    const last = await world.query('select channel, data from pushes.push where place = $1', [place]);
    expect(last).toHaveLength(1);
    expect(last[0]).toEqual({ channel: 'g50', data: '{}' });
  });

  it('is pushed with the names of the group and of the sender', async () => {
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

describe('a log that may hold a repeat', () => {
  it('shows the first message of an event id, and nothing of a later one', async () => {
    const forgetful = inBatchesOf(100, world.log, 'recently');
    const id = newEventId();
    const talk = between(20, 21);
    const once = sent(talk, 20, 400, 'once', { uniqueId: 'u' });
    const before = await world.given(registered(20, '寅'), registered(21, '卯'));
    await world.append(once, { id });
    await world.project(forgetful);
    // This log accepts an id twice only in different streams; the fold ignores the stream.
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
