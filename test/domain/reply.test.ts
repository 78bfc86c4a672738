import { describe, expect, it } from 'vitest';
import type { Reply, ReplyEvent } from '../../contracts/events/reply.ts';
import { ReplyId } from '../../contracts/ids.ts';
import { fold } from '../../services/domain/aggregate.ts';
import {
  addReply,
  automaticAnswers,
  deleteReply,
  maxReplies,
  reply,
  updateReply,
} from '../../services/domain/reply.ts';
import { uid } from '../support/events.ts';
import { given } from '../support/specification.ts';

const rid = (id: number) => ReplyId.parse(id);

function written(id: number, more: Partial<Reply> = {}): Reply {
  const plain = { type: 1, title: '', content: `c${id}`, weights: 0, isDefault: false } as const;
  return { rid: rid(id), uid: uid(9), ...plain, ...more };
}

const added = (id: number, more?: Partial<Reply>): ReplyEvent => ({
  type: 'ReplyAdded',
  data: written(id, more),
});
const updated = (id: number, more?: Partial<Reply>): ReplyEvent => ({
  type: 'ReplyUpdated',
  data: written(id, more),
});
const deleted = (id: number): ReplyEvent => ({ type: 'ReplyDeleted', data: { rid: rid(id), uid: uid(9) } });

const answers = (events: readonly ReplyEvent[], content: string, first = false) =>
  automaticAnswers(fold(reply, events), content, first);

describe('a member’s replies', () => {
  it('are added under ids of their own', () => {
    given(reply, added(1))
      .when((state) => addReply(state, written(2)))
      .givesEachTime(added(2));
  });

  it('are limited in number; one that is deleted makes room', () => {
    const full = Array.from({ length: maxReplies }, (_, index) => added(index + 1));
    const another = written(maxReplies + 1);
    given(reply, ...full.slice(1))
      .when((state) => addReply(state, another))
      .givesEachTime({ type: 'ReplyAdded', data: another });
    given(reply, ...full)
      .when((state) => addReply(state, another))
      .refuses('limitReached');
    given(reply, ...full, deleted(7))
      .when((state) => addReply(state, another))
      .givesEachTime({ type: 'ReplyAdded', data: another });
  });

  it('are folded in linear time', () => {
    const events = Array.from({ length: 20_000 }, (_, index) => added((index % 1_000) + 1));
    const began = performance.now();
    expect(fold(reply, events).size).toBe(1_000);
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  it('keep what a change leaves out', () => {
    given(reply, added(1, { type: 3, title: '几点', content: '九点', weights: 5, isDefault: true }))
      .when((state) => updateReply(state, rid(1), { content: '十点' }))
      .gives(updated(1, { type: 3, title: '几点', content: '十点', weights: 5, isDefault: true }));
  });

  it('are not changed to what they are', () => {
    given(reply, added(1))
      .when((state) => updateReply(state, rid(1), { content: 'c1', weights: 0 }))
      .givesNothing();
  });

  it('stay whose they are, under the id they have', () => {
    given(reply, added(1))
      .when((state) => updateReply(state, rid(1), { rid: rid(7), uid: uid(7), content: 'x' }))
      .gives(updated(1, { content: 'x' }));
  });

  it('cannot be changed or deleted if they do not exist', () => {
    given(reply, added(1))
      .when((state) => updateReply(state, rid(2), { content: 'x' }))
      .refuses('noRecord');
    given(reply, added(1), deleted(1))
      .when((state) => updateReply(state, rid(1), { content: 'x' }))
      .refuses('noRecord');
    given(reply, added(1), deleted(1))
      .when((state) => deleteReply(state, rid(1)))
      .refuses('noRecord');
  });

  it('are deleted', () => {
    given(reply, added(1), added(2))
      .when((state) => deleteReply(state, rid(1)))
      .givesEachTime(deleted(1));
  });
});

describe('the default of a type', () => {
  const defaults = (...events: ReplyEvent[]) =>
    [...fold(reply, events).values()].filter(({ isDefault }) => isDefault).map((found) => found.rid);

  it('is one: a new one unsets the old', () => {
    expect(defaults(added(1, { isDefault: true }), added(2, { isDefault: true }))).toEqual([2]);
    expect(defaults(added(1, { isDefault: true }), added(2), updated(2, { isDefault: true }))).toEqual([2]);
  });

  it('is one for each type', () => {
    expect(defaults(added(1, { isDefault: true }), added(2, { type: 3, isDefault: true }))).toEqual([1, 2]);
  });

  it('moves with a reply that changes its type', () => {
    expect(
      defaults(
        added(1, { isDefault: true }),
        added(2, { type: 3, isDefault: true }),
        updated(2, { type: 1, isDefault: true }),
      ),
    ).toEqual([2]);
  });
});

describe('automatic answers', () => {
  const welcome = added(1, { isDefault: true, content: '欢迎' });
  const question = added(2, { type: 3, title: '营业 时间 Open', content: '九点' });

  it('welcome a first message with the default welcome, and no later one', () => {
    expect(answers([added(3, { weights: 9 }), welcome], '在吗', true)).toEqual(['欢迎']);
    expect(answers([welcome], '在吗', false)).toEqual([]);
  });

  it('welcome nobody if no welcome is the default', () => {
    expect(answers([added(1, { content: '欢迎' })], '在吗', true)).toEqual([]);
  });

  it('answer a question whose title the message is, spaces and case ignored', () => {
    for (const content of ['营业时间open', ' 营业\u3000时间\nOPEN ', '营业 时间 Open']) {
      expect(answers([question], content), content).toEqual(['九点']);
    }
    expect(answers([question], '营业时间open?')).toEqual([]);
  });

  it('answer nothing to what is only a welcome’s or a quick reply’s title', () => {
    expect(answers([added(1, { title: '你好', isDefault: true })], '你好')).toEqual([]);
    expect(answers([added(1, { type: 2, title: '你好', isDefault: true })], '你好', true)).toEqual([]);
  });

  it('are both, the welcome first, to a first message that is a question', () => {
    expect(answers([question, welcome], '营业时间open', true)).toEqual(['欢迎', '九点']);
  });

  it('take the question of the greatest weight, then the older one', () => {
    const same = { type: 3, title: '几点' } as const;
    expect(answers([added(1, same), added(2, { ...same, weights: 1 })], '几点')).toEqual(['c2']);
    expect(answers([added(2, same), added(1, same)], '几点')).toEqual(['c1']);
  });

  it('know nothing of what was deleted', () => {
    expect(answers([welcome, question, deleted(1), deleted(2)], '营业时间open', true)).toEqual([]);
  });
});
