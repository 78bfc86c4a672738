import { describe, expect, it } from 'vitest';
import type { FriendshipEvent } from '../../contracts/events/friendship.ts';
import { fold } from '../../services/domain/aggregate.ts';
import {
  agree,
  agreeText,
  apply,
  befriend,
  befriendAtFirst,
  friendship,
  friendshipStream,
  maxRememberedApplications,
  refuse,
  remark,
  unfriend,
} from '../../services/domain/friendship.ts';
import { applicationId, mid, uid } from '../support/events.ts';
import { given } from '../support/specification.ts';

const [tom, jerry] = [uid(9), uid(10)];

const applied = (id: number, from = tom, to = jerry, postscript = '你好'): FriendshipEvent => ({
  type: 'FriendApplied',
  data: { applicationId: applicationId(id), from, to, postscript },
});
const agreed = (id: number, greeting: number, from = tom, to = jerry): FriendshipEvent => ({
  type: 'FriendAgreed',
  data: { applicationId: applicationId(id), from, to, mid: mid(greeting), content: agreeText },
});
const refused = (id: number, from = tom, to = jerry): FriendshipEvent => ({
  type: 'FriendRefused',
  data: { applicationId: applicationId(id), from, to },
});
const befriended: FriendshipEvent = { type: 'Befriended', data: { by: tom, friend: jerry } };
const unfriended: FriendshipEvent = { type: 'Unfriended', data: { by: jerry, friend: tom } };
const remarked = (text: string): FriendshipEvent => ({
  type: 'FriendRemarked',
  data: { by: tom, friend: jerry, remark: text },
});

/** `from` applies under the fresh id 2, and would greet with the message 20. */
const applying = (from = tom, to = jerry, postscript = '你好') => ({
  from,
  to,
  postscript,
  applicationId: applicationId(2),
  mid: mid(20),
});
const answering = (id: number, by = jerry) => ({ by, applicationId: applicationId(id), mid: mid(30) });

describe('the stream of two people', () => {
  it('is the same whoever is named first', () => {
    expect(friendshipStream(tom, jerry).name).toBe('friendship-9-10');
    expect(friendshipStream(jerry, tom).name).toBe('friendship-9-10');
  });
});

describe('applying', () => {
  it('opens an application', () => {
    given(friendship)
      .when((state) => apply(state, applying()))
      .gives(applied(2));
  });

  it('may go without a text', () => {
    given(friendship)
      .when((state) => apply(state, applying(tom, jerry, '')))
      .gives(applied(2, tom, jerry, ''));
  });

  it('gives an open application the new text under its old id', () => {
    given(friendship, applied(1))
      .when((state) => apply(state, applying(tom, jerry, '再来')))
      .gives(applied(1, tom, jerry, '再来'));
  });

  it('is nothing where the same application is open', () => {
    given(friendship, applied(1))
      .when((state) => apply(state, applying()))
      .givesNothing();
  });

  it('opens a new one after a refusal', () => {
    given(friendship, applied(1), refused(1))
      .when((state) => apply(state, applying()))
      .gives(applied(2));
  });

  it('agrees to the open application of the other side', () => {
    given(friendship, applied(1))
      .when((state) => apply(state, applying(jerry, tom)))
      .gives(agreed(1, 20));
  });

  it('is nothing between friends', () => {
    given(friendship, befriended)
      .when((state) => apply(state, applying()))
      .givesNothing();
  });

  it('opens a new one where they are friends no more', () => {
    given(friendship, applied(1), agreed(1, 5), unfriended)
      .when((state) => apply(state, applying(jerry, tom)))
      .gives(applied(2, jerry, tom));
  });
});

describe('agreeing', () => {
  it('makes friends, with a greeting from the one who agrees', () => {
    given(friendship, applied(1))
      .when((state) => agree(state, answering(1)))
      .gives(agreed(1, 30));
  });

  it('twice is done', () => {
    given(friendship, applied(1), agreed(1, 5))
      .when((state) => agree(state, answering(1)))
      .givesNothing();
  });

  it('is done where they became friends another way', () => {
    given(friendship, applied(1), befriended)
      .when((state) => agree(state, answering(1)))
      .givesNothing();
  });

  it('is refused after refusing', () => {
    given(friendship, applied(1), refused(1))
      .when((state) => agree(state, answering(1)))
      .refuses('alreadyAnswered');
  });

  it('is for the one who was asked alone', () => {
    given(friendship, applied(1))
      .when((state) => agree(state, answering(1, tom)))
      .refuses('noRecord');
    given(friendship, applied(1))
      .when((state) => agree(state, answering(7)))
      .refuses('noRecord');
  });
});

describe('refusing', () => {
  it('settles the application, and makes no friends', () => {
    given(friendship, applied(1))
      .when((state) => refuse(state, answering(1)))
      .gives(refused(1));
    expect(fold(friendship, [applied(1), refused(1)]).friends).toBe(false);
  });

  it('is refused after agreeing, in whichever way', () => {
    for (const answer of [agreed(1, 5), befriended]) {
      given(friendship, applied(1), answer)
        .when((state) => refuse(state, answering(1)))
        .refuses('alreadyAnswered');
    }
  });

  it('is for the one who was asked alone', () => {
    given(friendship, applied(1))
      .when((state) => refuse(state, answering(1, tom)))
      .refuses('noRecord');
  });
});

describe('what is kept of applications', () => {
  const rounds = (count: number) =>
    Array.from({ length: count }, (_, index) => [applied(index + 1), refused(index + 1)]).flat();

  it('is the open one and those answered last, whatever the number of rounds', () => {
    const state = fold(friendship, [...rounds(3_000), applied(3_001)]);
    expect(state.applications.size).toBe(maxRememberedApplications + 1);
    expect(friendship.weight(state)).toBeLessThan(20);
    const last = applicationId(3_000);
    expect(() => agree(state, { by: jerry, applicationId: last, mid: mid(5) })).toThrow('已拒绝');
    expect(agree(state, { by: jerry, applicationId: applicationId(3_001), mid: mid(5) })).toHaveLength(1);
  });

  it('is folded in linear time', () => {
    const took = (count: number) => {
      const events = rounds(count);
      const began = performance.now();
      fold(friendship, events);
      return performance.now() - began;
    };
    took(1_000);
    // Copying all that ever was took 62 s here.
    expect(took(10_000)).toBeLessThan(1_000);
  });
});

describe('befriending without asking', () => {
  it('makes friends', () => {
    given(friendship)
      .when((state) => befriend(state, { by: tom, friend: jerry }))
      .gives(befriended);
  });

  it('is nothing between friends, whoever began', () => {
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

  it('are made, also where one has asked the other meanwhile', () => {
    given(friendship)
      .when((state) => befriendAtFirst(state, opening))
      .gives(befriended);
    given(friendship, applied(1, jerry, tom))
      .when((state) => befriendAtFirst(state, opening))
      .gives(befriended);
  });

  it('are made once: not while they are friends, not when they have parted', () => {
    for (const history of [[befriended], [befriended, unfriended], [applied(1), agreed(1, 5), unfriended]]) {
      given(friendship, ...history)
        .when((state) => befriendAtFirst(state, opening))
        .givesNothing();
    }
  });
});

describe('remarks', () => {
  it('are each one’s own', () => {
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

  it('can be taken away', () => {
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

  it('is nothing between those who are no friends', () => {
    given(friendship, applied(1))
      .when((state) => unfriend(state, { by: jerry, friend: tom }))
      .givesNothing();
  });
});
