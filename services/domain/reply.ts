import { Refusal } from '../../contracts/codes.ts';
import type { Reply, ReplyEvent, ReplyType } from '../../contracts/events/reply.ts';
import type { ReplyId, Uid } from '../../contracts/ids.ts';
import { type Aggregate, type AggregateStream, streamName } from './aggregate.ts';

export type ReplyState = ReadonlyMap<ReplyId, Reply>;

/** The stream `reply-{uid}`: a member's replies. */
export function replyStream(uid: Uid): AggregateStream<ReplyState, ReplyEvent> {
  return { aggregate: reply, name: streamName(`reply-${uid}`) };
}

export const reply: Aggregate<ReplyState, ReplyEvent> = {
  initial: () => new Map(),
  evolve: (state, event) => {
    const replies = new Map(state);
    if (event.type === 'ReplyDeleted') replies.delete(event.data.rid);
    else {
      if (event.data.isDefault) unsetDefault(replies, event.data.type);
      replies.set(event.data.rid, event.data);
    }
    return replies;
  },
  weight: (state) => 1 + state.size,
};

/** One default a type: a new one unsets the old. */
function unsetDefault(replies: Map<ReplyId, Reply>, type: ReplyType): void {
  for (const [rid, other] of replies) {
    if (other.type === type && other.isDefault) replies.set(rid, { ...other, isDefault: false });
  }
}

/** Adds a reply under a fresh id. */
export function addReply(_state: ReplyState, added: Reply): ReplyEvent[] {
  return [{ type: 'ReplyAdded', data: added }];
}

/** Changes a reply; what `changes` leaves out stays. Throws noRecord. */
export function updateReply(
  state: ReplyState,
  rid: ReplyId,
  changes: { readonly [Field in keyof Reply]?: Reply[Field] | undefined },
): ReplyEvent[] {
  const before = state.get(rid);
  if (!before) throw new Refusal('noRecord', '回复消息不存在');
  const after: Reply = {
    ...before,
    type: changes.type ?? before.type,
    title: changes.title ?? before.title,
    content: changes.content ?? before.content,
    weights: changes.weights ?? before.weights,
    isDefault: changes.isDefault ?? before.isDefault,
  };
  const same = (Object.keys(after) as (keyof Reply)[]).every((field) => after[field] === before[field]);
  return same ? [] : [{ type: 'ReplyUpdated', data: after }];
}

/** Deletes a reply. Throws noRecord. */
export function deleteReply(state: ReplyState, rid: ReplyId): ReplyEvent[] {
  const before = state.get(rid);
  if (!before) throw new Refusal('noRecord', '回复消息不存在');
  return [{ type: 'ReplyDeleted', data: { rid, uid: before.uid } }];
}

/**
 * What customer service answers by itself (BEHAVIOUR, Messages): the default welcome to a person's
 * first message, then the answer to a question whose title the message is, spaces and case ignored.
 */
export function automaticAnswers(state: ReplyState, content: string, first: boolean): string[] {
  const replies = [...state.values()].sort(
    (one, other) => other.weights - one.weights || one.rid - other.rid,
  );
  const welcome = first
    ? replies.find((candidate) => candidate.type === 1 && candidate.isDefault)
    : undefined;
  const asked = fingerprint(content);
  const answer = replies.find((candidate) => candidate.type === 3 && fingerprint(candidate.title) === asked);
  return [welcome, answer].flatMap((found) => (found ? [found.content] : []));
}

function fingerprint(text: string): string {
  return text.replace(/\s+/gu, '').toLowerCase();
}
