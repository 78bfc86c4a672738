import { expect, test } from 'vitest';
import { defaultLimits } from '../../services/gateway/connections/limits.ts';
import { presencePayload } from '../../services/gateway/presence/presence-payload.ts';

const listOf = (
  list: ReadonlyMap<string, string | null>,
  own: string,
  maxBytes = defaultLimits.maxPresenceBytes,
) => JSON.parse(presencePayload(list, own, maxBytes)).presence;

test('the list has all members of a small channel, with their infos', () => {
  const list = new Map([
    ['9', '{"nickname":"甲"}'],
    ['10', null],
  ]);
  expect(listOf(list, '10')).toEqual({
    count: 2,
    ids: ['10', '9'],
    hash: { 9: { nickname: '甲' }, 10: null },
  });
});

test('the list has the count of 10,000 members, the subscriber first, and as many others as fit', () => {
  const info = JSON.stringify({ uid: 1, nickname: '群成员'.repeat(10), avatar: '/static/img/avatar.jpg' });
  const list = new Map(Array.from({ length: 10_000 }, (_, index) => [`${index + 1}`, info]));
  const text = presencePayload(list, '9999', defaultLimits.maxPresenceBytes);
  expect(Buffer.byteLength(text)).toBeLessThan(defaultLimits.maxPresenceBytes + 100);
  expect(Buffer.byteLength(text)).toBeLessThan(defaultLimits.maxUnreadBytes / 4);
  const { count, ids, hash } = listOf(list, '9999');
  expect(count).toBe(10_000);
  expect(ids[0]).toBe('9999');
  expect(ids.length).toBeGreaterThan(500);
  expect(Object.keys(hash).sort()).toEqual(ids.toSorted());
});
