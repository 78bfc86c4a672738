import type { GroupEvent } from '../../contracts/events/group.ts';
import type { Gid, Mid, Uid } from '../../contracts/ids.ts';
import { type GroupState, groupStream, type LivingGroup, mayManage, mustBeIn } from '../domain/group.ts';
import * as decide from '../domain/group-commands.ts';
import * as groupMembers from '../domain/group-members.ts';
import * as groupMutes from '../domain/group-mutes.ts';
import type { Position } from '../log/log.ts';
import { type CommandContext, seconds } from './context.ts';
import { execute } from './execute.ts';
import { mustExist } from './must-exist.ts';
import type { CommandParts } from './parts.ts';
import { useAllowance } from './use-allowance.ts';

type Parts = Pick<CommandParts, 'log' | 'store'>;
type NoticeParts = Parts & Pick<CommandParts, 'database' | 'ids'>;

/** A command on one group that leaves no notice. It answers the position that shows it. */
function changing<Command>(decision: (state: GroupState, command: Command) => readonly GroupEvent[]) {
  return async (parts: Parts, gid: Gid, command: Command, context: CommandContext): Promise<Position> => {
    const { position } = await execute(parts, groupStream(gid), context, (state) => decision(state, command));
    return position;
  };
}

/** Dissolves a group. @throws Refusal illegal, noGroup */
export const dissolveGroup = changing(decide.dissolveGroup);

/** Removes members. @throws Refusal illegal, noGroup */
export const removeMembers = changing(groupMembers.removeMembers);

/** Makes a member a manager, or no longer one. @throws Refusal illegal, noGroup */
export const setManager = changing(decide.setManager);

/** Changes what a member calls the group. @throws Refusal illegal, noGroup */
export const remarkGroup = changing(decide.remarkGroup);

/** Hands the group over to a member. @throws Refusal illegal, noGroup */
export const transferGroup = changing(decide.transferGroup);

/** Changes the group's name or picture. @throws Refusal illegal, noGroup */
export const updateGroup = changing(decide.updateGroup);

/** Makes all tokens of the group's QR code so far invalid. @throws Refusal illegal, noGroup */
export const revokeCodes = changing(decide.revokeCodes);

/** Mutes a member until `time`, or ends it. @throws Refusal illegal, noGroup, noUser, tooOften */
export async function muteMember(
  parts: NoticeParts,
  gid: Gid,
  { by, uid, time }: { by: Uid; uid: Uid; time: number },
  context: CommandContext,
): Promise<Position> {
  const now = seconds(context);
  return changeWithNotice(parts, gid, { by, people: [by, uid] }, context, (state, mid) =>
    groupMutes.muteMember(state, { by, uid, time, now, mid }),
  );
}

/** Mutes everyone but the owner and the managers, or ends it. @throws Refusal illegal, noGroup, noUser, tooOften */
export async function muteGroup(
  parts: NoticeParts,
  gid: Gid,
  { by, muted }: { by: Uid; muted: boolean },
  context: CommandContext,
): Promise<Position> {
  return changeWithNotice(parts, gid, { by, people: [by] }, context, (state, mid) =>
    groupMutes.muteGroup(state, { by, muted, mid }),
  );
}

/**
 * The group, for a person who is in it. Asking for another one uses an allowance, since it may be guessing.
 * @throws Refusal illegal, noGroup, tooOften
 */
export async function enterGroup(
  parts: Parts,
  gid: Gid,
  uid: Uid,
  context: CommandContext,
): Promise<LivingGroup> {
  const { state } = await parts.store.load(groupStream(gid));
  if (!state?.members.has(uid)) await useAllowance(parts, uid, 'groups missed', context);
  return mustBeIn(state, uid);
}

/**
 * Whether somebody is the group's owner or a manager, for a person who is in it.
 * @throws Refusal illegal, noGroup, tooOften
 */
export async function isManager(
  parts: Parts,
  gid: Gid,
  { by, uid }: { by: Uid; uid: Uid },
  context: CommandContext,
): Promise<boolean> {
  return mayManage(await enterGroup(parts, gid, by, context), uid);
}

/** Decides and appends what leaves a notice in the group that names people. */
async function changeWithNotice(
  parts: NoticeParts,
  gid: Gid,
  { by, people }: { by: Uid; people: readonly Uid[] },
  context: CommandContext,
  decision: (state: GroupState, mid: Mid) => readonly GroupEvent[],
): Promise<Position> {
  await enterGroup(parts, gid, by, context);
  await mustExist(parts.database, people);
  const mid = await parts.ids.nextMid();
  const { position } = await execute(parts, groupStream(gid), context, (state) => decision(state, mid));
  return position;
}
