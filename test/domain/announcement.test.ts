import { describe, expect, test } from 'vitest';
import type { AnnouncementEvent } from '../../contracts/events/announcement.ts';
import { AnnouncementId } from '../../contracts/ids.ts';
import {
  type AnnouncementState,
  announce,
  announcement,
  maxAnHour,
  revokeAnnouncement,
} from '../../services/domain/announcement.ts';

const start = 1_700_000_000;

function after(
  state: AnnouncementState,
  events: readonly AnnouncementEvent[],
  now: number,
): AnnouncementState {
  return events.reduce((folded, event) => announcement.evolve(folded, event, now), state);
}

/** The state after announcements at these times, each by a uniqueId of its own. */
function announced(...times: readonly number[]): AnnouncementState {
  let state = announcement.initial();
  times.forEach((now, index) => {
    state = after(state, announce(state, { content: 'x', uniqueId: `u${index}`, now }), now);
  });
  return state;
}

const id = (number: number) => AnnouncementId.parse(number);

describe('announcements', () => {
  test('are numbered in the order of the log', () => {
    const state = announced(start, start + 1);
    expect(announce(state, { content: 'y', now: start + 2 })).toEqual([
      { type: 'AnnouncementSent', data: { id: 3, content: 'y' } },
    ]);
  });

  test('are refused beyond those of an hour, until the oldest of these is an hour old', () => {
    const state = announced(...Array.from({ length: maxAnHour }, (_, index) => start + index));
    const at = (now: number) => () => announce(state, { content: 'y', now });
    expect(at(start + 3_599)).toThrow('公告过于频繁,请在1分钟后再试');
    expect(at(start + 3_600)()).toHaveLength(1);
  });

  test('under a uniqueId that was used change nothing, and are no other text', () => {
    const state = announced(start);
    expect(announce(state, { content: 'x', uniqueId: 'u0', now: start })).toEqual([]);
    expect(() => announce(state, { content: 'y', uniqueId: 'u0', now: start })).toThrow('uniqueId');
  });

  test('remember the uniqueIds of the last 1,000', () => {
    const times = Array.from({ length: 1_001 }, (_, index) => start + index * 3_600);
    const state = announced(...times);
    expect(state.sent.size).toBe(1_000);
    expect(state.sent.has('u0')).toBe(false);
    expect(state.times).toHaveLength(maxAnHour);
  });

  test('are revoked once, if they were made', () => {
    const state = announced(start);
    const events = revokeAnnouncement(state, { id: id(1) });
    expect(events).toEqual([{ type: 'AnnouncementRevoked', data: { id: 1 } }]);
    expect(revokeAnnouncement(after(state, events, start), { id: id(1) })).toEqual([]);
    expect(() => revokeAnnouncement(state, { id: id(2) })).toThrow('公告不存在');
  });
});
