import { Refusal } from '../../contracts/codes.ts';
import type { Reply, ReplyEvent, ReplyType } from '../../contracts/events/reply.ts';
import type { ReplyId, Uid } from '../../contracts/ids.ts';
import { type Aggregate, type AggregateStream, streamName } from './aggregate.ts';

/**
 * Replies of a member: each message to the member is compared with all questions, and reply/get returns all.
 */
export const maxReplies = 1_000;

/** A member's replies, in the order of adding. Changed in place by `evolve`. */
export type ReplyState = Map<ReplyId, Reply>;

/** The stream `reply-{uid}`: a member's replies. */
export function replyStream(uid: Uid): AggregateStream<ReplyState, ReplyEvent> {
  return { aggregate: reply, name: streamName(`reply-${uid}`) };
}

export const reply: Aggregate<ReplyState, ReplyEvent> = {
  version: 1,
  initial: () => new Map(),
  evolve: (state, event) => {
    if (event.type === 'ReplyDeleted') state.delete(event.data.rid);
    else {
      if (event.data.isDefault) unsetDefault(state, event.data.type);
      state.set(event.data.rid, event.data);
    }
    return state;
  },
  weight: (state) => 1 + state.size,
};

/** A type has one default: a new one replaces the old. */
function unsetDefault(replies: Map<ReplyId, Reply>, type: ReplyType): void {
  for (const [rid, other] of replies) {
    if (other.type === type && other.isDefault) replies.set(rid, { ...other, isDefault: false });
  }
}

/** Adds a reply under a new id. @throws Refusal limitReached; notReady for an id that another of theirs has */
export function addReply(state: ReplyState, added: Reply): ReplyEvent[] {
  // The id was given twice, as after a failover to a database that lost the last ids; a repeat gets another id.
  if (state.has(added.rid)) throw new Refusal('notReady');
  if (state.size >= maxReplies) throw new Refusal('limitReached', `回复消息不能超过${maxReplies}条`);
  return [{ type: 'ReplyAdded', data: added }];
}

/** What of a reply is to be changed. */
export type ReplyChanges = { readonly [Field in keyof Reply]?: Reply[Field] | undefined };

/** Changes a reply; what `changes` leaves out stays. @throws Refusal noRecord */
export function updateReply(state: ReplyState, rid: ReplyId, changes: ReplyChanges): ReplyEvent[] {
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

/** Deletes a reply. @throws Refusal noRecord */
export function deleteReply(state: ReplyState, rid: ReplyId): ReplyEvent[] {
  const before = state.get(rid);
  if (!before) throw new Refusal('noRecord', '回复消息不存在');
  return [{ type: 'ReplyDeleted', data: { rid, uid: before.uid } }];
}

/**
 * The automatic answers to a message (docs/behaviour.md, Messages): the default welcome to a person's first message,
 * then the answer to the question whose title equals the message, ignoring spaces and case.
 */
export function automaticAnswers(state: ReplyState, content: string, first: boolean): string[] {
  const asked = fingerprint(content);
  let welcome: Reply | undefined;
  let answer: Reply | undefined;
  for (const candidate of state.values()) {
    if (first && candidate.type === 1 && candidate.isDefault) welcome = weightier(candidate, welcome);
    if (candidate.type === 3 && titleOf(candidate) === asked) answer = weightier(candidate, answer);
  }
  return [welcome, answer].flatMap((found) => (found ? [found.content] : []));
}

/** The one of greater weight; of equal ones the one that was added first. */
function weightier(one: Reply, other: Reply | undefined): Reply {
  if (!other) return one;
  return (one.weights - other.weights || other.rid - one.rid) > 0 ? one : other;
}

/** Cached fingerprints of titles, with which every message to a member is compared. */
const titles = new WeakMap<Reply, string>();

function titleOf(reply: Reply): string {
  const known = titles.get(reply);
  if (known !== undefined) return known;
  const title = fingerprint(reply.title);
  titles.set(reply, title);
  return title;
}

function fingerprint(text: string): string {
  return text.replace(/\s+/gu, '').toLowerCase();
}
