import { describe, expect, it } from 'vitest';
import { fold } from '../../services/domain/aggregate.ts';
import {
  agree,
  apply,
  friendship,
  maxRememberedApplications,
  refuse,
} from '../../services/domain/friendship.ts';
import { applicationId, mid } from '../support/events.ts';
import { given } from '../support/specification.ts';
import { agreed, applied, befriended, jerry, refused, tom, unfriended } from './friendship-events.ts';

/** `from` applies under the fresh id 2, and would greet with the message 20. */
const applying = (from = tom, to = jerry, postscript = '你好') => ({
  from,
  to,
  postscript,
  applicationId: applicationId(2),
  mid: mid(20),
});

const answering = (id: number, by = jerry) => ({ by, applicationId: applicationId(id), mid: mid(30) });

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

  it('does nothing if the same application is open', () => {
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

  it('does nothing between friends', () => {
    given(friendship, befriended)
      .when((state) => apply(state, applying()))
      .givesNothing();
  });

  it('opens a new one if they are no longer friends', () => {
    given(friendship, applied(1), agreed(1, 5), unfriended)
      .when((state) => apply(state, applying(jerry, tom)))
      .gives(applied(2, jerry, tom));
  });
});

describe('agreeing', () => {
  it('makes friends, with a greeting from the person who agrees', () => {
    given(friendship, applied(1))
      .when((state) => agree(state, answering(1)))
      .gives(agreed(1, 30));
  });

  it('a second time does nothing', () => {
    given(friendship, applied(1), agreed(1, 5))
      .when((state) => agree(state, answering(1)))
      .givesNothing();
  });

  it('does nothing if they became friends another way', () => {
    given(friendship, applied(1), befriended)
      .when((state) => agree(state, answering(1)))
      .givesNothing();
  });

  it('is refused after refusing', () => {
    given(friendship, applied(1), refused(1))
      .when((state) => agree(state, answering(1)))
      .refuses('alreadyAnswered');
  });

  it('is only for the person who was asked', () => {
    given(friendship, applied(1))
      .when((state) => agree(state, answering(1, tom)))
      .refuses('noRecord');
    given(friendship, applied(1))
      .when((state) => agree(state, answering(7)))
      .refuses('noRecord');
  });
});

describe('refusing', () => {
  it('answers the application, and makes no friends', () => {
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

  it('is only for the person who was asked', () => {
    given(friendship, applied(1))
      .when((state) => refuse(state, answering(1, tom)))
      .refuses('noRecord');
  });
});

describe('what is kept of applications', () => {
  const rounds = (count: number) =>
    Array.from({ length: count }, (_, index) => [applied(index + 1), refused(index + 1)]).flat();

  it('is the open one and those answered last, after any number of rounds', () => {
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
    // With a copy of all earlier ones at each event it was 62 s.
    expect(took(10_000)).toBeLessThan(1_000);
  });
});
