import { Refusal } from '../../contracts/codes.ts';
import { ApplicationId, type Uid } from '../../contracts/ids.ts';
import * as decide from '../domain/friendship.ts';
import { groupStream } from '../domain/group.ts';
import { refuseInvitation } from '../domain/group-invitations.ts';
import { mustBeActive, mustExist, userStream } from '../domain/user.ts';
import { type Position, startOfLog } from '../log/log.ts';
import { findApplication } from '../queries/contacts.ts';
import type { ReadDatabase } from '../queries/tables.ts';
import type { AggregateStore } from './aggregate-store.ts';
import type { CommandContext } from './context.ts';
import { execute } from './execute.ts';
import { agreeToInvitation } from './group-admission.ts';
import type { CommandParts } from './parts.ts';
import { currentSettings } from './setting.ts';
import { useAllowance } from './use-allowance.ts';

type Parts = Pick<CommandParts, 'log' | 'store'>;
type AnsweringParts = Parts & Pick<CommandParts, 'database' | 'ids'>;

/** Who answers which application. */
interface Answer {
  readonly by: Uid;
  readonly nid: number;
}

/** What a person does to another. */
interface Pair {
  readonly by: Uid;
  readonly friend: Uid;
}

/** Applies to be somebody's friend. @throws Refusal noUser, disabled, addFriendOff, tooOften, notReady */
export async function applyToFriend(
  parts: Parts & Pick<CommandParts, 'ids'>,
  { from, to, postscript }: { from: Uid; to: Uid; postscript: string },
  context: CommandContext,
): Promise<Position> {
  const { store, ids } = parts;
  mustBeActive(await userOf(store, from));
  if ((await currentSettings(store)).add_friend === 'off') throw new Refusal('addFriendOff');
  mustExist(await userOf(store, to));
  const [applicationId, mid] = await Promise.all([ids.nextApplicationId(), ids.nextMid()]);
  const command = { from, to, postscript, applicationId, mid };
  const stream = decide.friendshipStream(from, to);
  // Agreeing to the other's application, and what changes nothing, are no applications.
  const applies = decide
    .apply((await store.load(stream)).state, command)
    .some(({ type }) => type === 'FriendApplied');
  if (applies) await useAllowance(parts, from, 'friend applications', context);
  const { position } = await execute(parts, stream, context, (state) => decide.apply(state, command));
  return position;
}

/**
 * Agrees to an application, or to an invitation to a group, that one received. Agreed already: nothing.
 * @returns the position that shows it; the log's beginning if nothing was appended
 * @throws Refusal noUser, disabled, noRecord, alreadyAnswered, noGroup, limitReached
 */
export async function agreeToApplication(
  parts: AnsweringParts,
  { by, nid }: Answer,
  context: CommandContext,
): Promise<Position> {
  mustBeActive(await userOf(parts.store, by));
  const { from, gid, operation } = await receivedApplication(parts.database, by, nid);
  const applicationId = ApplicationId.parse(nid);
  if (gid !== null) {
    if (operation === 'agree') return startOfLog;
    if (operation === 'refuse') throw new Refusal('alreadyAnswered', '该入群邀请已拒绝,不能再同意');
    return agreeToInvitation(parts, { uid: by, gid, applicationId }, context);
  }
  mustExist(await userOf(parts.store, from));
  const mid = await parts.ids.nextMid();
  const { position } = await execute(parts, decide.friendshipStream(from, by), context, (state) =>
    decide.agree(state, { by, applicationId, mid }),
  );
  return position;
}

/**
 * Refuses an application, or an invitation to a group, that one received. Refused already: nothing.
 * @returns the position that shows it; the log's beginning if nothing was appended
 * @throws Refusal noRecord, alreadyAnswered
 */
export async function refuseApplication(
  parts: AnsweringParts,
  { by, nid }: Answer,
  context: CommandContext,
): Promise<Position> {
  const { from, gid, operation } = await receivedApplication(parts.database, by, nid);
  const applicationId = ApplicationId.parse(nid);
  if (gid !== null) {
    if (operation === 'refuse') return startOfLog;
    if (operation === 'agree') throw new Refusal('alreadyAnswered', '该入群邀请已同意,不能再拒绝');
    const { position } = await execute(parts, groupStream(gid), context, (state) =>
      refuseInvitation(state, { uid: by, applicationId }),
    );
    return position;
  }
  const { position } = await execute(parts, decide.friendshipStream(from, by), context, (state) =>
    decide.refuse(state, { by, applicationId }),
  );
  return position;
}

/** An application, or an invitation to a group, that a person received. @throws Refusal noRecord */
export async function receivedApplication(database: ReadDatabase, uid: Uid, nid: number) {
  const found = await findApplication(database, uid, ApplicationId.parse(nid));
  if (!found) throw new Refusal('noRecord', '好友申请不存在');
  return found;
}

/** Makes two people friends without asking. @throws Refusal noUser */
export async function befriend(parts: Parts, pair: Pair, context: CommandContext): Promise<Position> {
  mustExist(await userOf(parts.store, pair.by));
  mustExist(await userOf(parts.store, pair.friend));
  return change(parts, pair, context, (state) => decide.befriend(state, pair));
}

/** Changes what a person calls a friend; empty: nothing special. @throws Refusal illegal */
export function remarkFriend(
  parts: Parts,
  remarked: Pair & { readonly remark: string },
  context: CommandContext,
): Promise<Position> {
  return change(parts, remarked, context, (state) => decide.remark(state, remarked));
}

/** Ends a friendship, for both. */
export function unfriend(parts: Parts, pair: Pair, context: CommandContext): Promise<Position> {
  return change(parts, pair, context, (state) => decide.unfriend(state, pair));
}

async function change(
  parts: Parts,
  { by, friend }: Pair,
  context: CommandContext,
  decision: (state: decide.FriendshipState) => ReturnType<typeof decide.apply>,
): Promise<Position> {
  return (await execute(parts, decide.friendshipStream(by, friend), context, decision)).position;
}

async function userOf(store: AggregateStore, uid: Uid) {
  return (await store.load(userStream(uid))).state;
}
