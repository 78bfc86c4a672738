import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { befriended, between, registered, sent, uid } from '../support/events.ts';
import { openWorld, testTime, type World } from '../support/projecting.ts';

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

describe('a message between two', () => {
  it('stands once, in both lists, and both hear it', async () => {
    const before = await world.log.end();
    await world.given(
      { type: 'FriendRemarked', data: { by: uid(2), friend: uid(1), remark: '老甲' } },
      sent(between(1, 2), 1, 100, '你好', { uniqueId: 'x', contentHash: 'h' }),
    );
    await world.project();
    expect(await world.rows('messages')).toEqual([
      expect.objectContaining({ conversation: 'f1-2', sequence: '1', mid: '100', content: '你好' }),
    ]);
    expect(await world.rows('inbox')).toHaveLength(2);
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
});
