import { describe, expect, it } from 'vitest';
import type { FriendshipEvent } from '../../contracts/events/friendship.ts';
import { fold } from '../../services/domain/aggregate.ts';
import {
  befriend,
  befriendAtFirst,
  friendship,
  friendshipStream,
  remark,
  unfriend,
} from '../../services/domain/friendship.ts';
import { applicationId } from '../support/events.ts';
import { given } from '../support/specification.ts';
import { agreed, applied, befriended, jerry, refused, tom, unfriended } from './friendship-events.ts';

const remarked = (text: string): FriendshipEvent => ({
  type: 'FriendRemarked',
  data: { by: tom, friend: jerry, remark: text },
});

describe('the stream of two people', () => {
  it('is the same for either order of the two', () => {
    expect(friendshipStream(tom, jerry).name).toBe('friendship-9-10');
    expect(friendshipStream(jerry, tom).name).toBe('friendship-9-10');
  });
});

describe('befriending without asking', () => {
  it('makes friends', () => {
    given(friendship)
      .when((state) => befriend(state, { by: tom, friend: jerry }))
      .gives(befriended);
  });

  it('does nothing between friends, for either of the two', () => {
    given(friendship, befriended)
      .when((state) => befriend(state, { by: jerry, friend: tom }))
      .givesNothing();
  });

  it('counts as agreeing to what is open', () => {
    const { applications } = fold(friendship, [applied(1), befriended]);
    expect(applications.get(applicationId(1))?.outcome).toBe('agreed');
  });

  it('leaves a refusal what it was', () => {
    const { applications } = fold(friendship, [applied(1), refused(1), befriended]);
    expect(applications.get(applicationId(1))?.outcome).toBe('refused');
  });
});

describe('friends from the start', () => {
  const opening = { by: tom, friend: jerry };

  it('are made, also if one has asked the other meanwhile', () => {
    given(friendship)
      .when((state) => befriendAtFirst(state, opening))
      .gives(befriended);
    given(friendship, applied(1, jerry, tom))
      .when((state) => befriendAtFirst(state, opening))
      .gives(befriended);
  });

  it('are made once: not while they are friends, not when the friendship has ended', () => {
    for (const history of [[befriended], [befriended, unfriended], [applied(1), agreed(1, 5), unfriended]]) {
      given(friendship, ...history)
        .when((state) => befriendAtFirst(state, opening))
        .givesNothing();
    }
  });
});

describe('remarks', () => {
  it('are separate for each of the two', () => {
    given(friendship, befriended, remarked('老鼠'))
      .when((state) => remark(state, { by: jerry, friend: tom, remark: '老鼠' }))
      .gives({ type: 'FriendRemarked', data: { by: jerry, friend: tom, remark: '老鼠' } });
  });

  it('are not set to what they are', () => {
    given(friendship, befriended, remarked('老鼠'))
      .when((state) => remark(state, { by: tom, friend: jerry, remark: '老鼠' }))
      .givesNothing();
    given(friendship, befriended)
      .when((state) => remark(state, { by: tom, friend: jerry, remark: '' }))
      .givesNothing();
  });

  it('can be removed', () => {
    given(friendship, befriended, remarked('老鼠'))
      .when((state) => remark(state, { by: tom, friend: jerry, remark: '' }))
      .gives(remarked(''));
  });

  it('are for friends', () => {
    given(friendship, applied(1))
      .when((state) => remark(state, { by: tom, friend: jerry, remark: '老鼠' }))
      .refuses('illegal');
  });

  it('end with the friendship', () => {
    given(friendship, befriended, remarked('老鼠'), unfriended, befriended)
      .when((state) => remark(state, { by: tom, friend: jerry, remark: '老鼠' }))
      .gives(remarked('老鼠'));
  });
});

describe('unfriending', () => {
  it('ends it for both', () => {
    given(friendship, befriended)
      .when((state) => unfriend(state, { by: jerry, friend: tom }))
      .gives(unfriended);
  });

  it('does nothing between people who are not friends', () => {
    given(friendship, applied(1))
      .when((state) => unfriend(state, { by: jerry, friend: tom }))
      .givesNothing();
  });
});
