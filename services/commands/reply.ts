import { Refusal } from '../../contracts/codes.ts';
import type { Reply } from '../../contracts/events/reply.ts';
import type { ReplyId, Uid } from '../../contracts/ids.ts';
import * as decide from '../domain/reply.ts';
import { mustExist, userStream } from '../domain/user.ts';
import type { Position } from '../log/log.ts';
import type { AggregateStore } from './aggregate-store.ts';
import type { CommandContext } from './context.ts';
import { execute } from './execute.ts';
import type { CommandParts } from './parts.ts';

type Parts = Pick<CommandParts, 'log' | 'store'>;

/** Only members (会员) have customer-service replies. @throws Refusal noUser, illegal */
export async function mustBeMember(store: AggregateStore, uid: Uid): Promise<void> {
  if (!mustExist((await store.load(userStream(uid))).state).isMember) {
    throw new Refusal('illegal', '只有会员可以使用回复消息功能');
  }
}

/** Adds a reply under a new id. @throws Refusal noUser, illegal, limitReached, notReady */
export async function addReply(
  parts: Parts & Pick<CommandParts, 'ids'>,
  reply: Omit<Reply, 'rid'>,
  context: CommandContext,
): Promise<Position> {
  const { uid } = reply;
  await mustBeMember(parts.store, uid);
  const rid = await parts.ids.nextReplyId();
  const added = { rid, ...reply };
  return change(parts, uid, context, (state) => decide.addReply(state, added));
}

/** Changes a reply; what `changes` leaves out stays. @throws Refusal noUser, illegal, noRecord */
export async function updateReply(
  parts: Parts,
  { uid, rid, changes }: { uid: Uid; rid: ReplyId; changes: decide.ReplyChanges },
  context: CommandContext,
): Promise<Position> {
  await mustBeMember(parts.store, uid);
  return change(parts, uid, context, (state) => decide.updateReply(state, rid, changes));
}

/** Deletes a reply. @throws Refusal noUser, illegal, noRecord */
export async function deleteReply(
  parts: Parts,
  { uid, rid }: { uid: Uid; rid: ReplyId },
  context: CommandContext,
): Promise<Position> {
  await mustBeMember(parts.store, uid);
  return change(parts, uid, context, (state) => decide.deleteReply(state, rid));
}

async function change(
  parts: Parts,
  uid: Uid,
  context: CommandContext,
  decision: (state: decide.ReplyState) => ReturnType<typeof decide.addReply>,
): Promise<Position> {
  return (await execute(parts, decide.replyStream(uid), context, decision)).position;
}
