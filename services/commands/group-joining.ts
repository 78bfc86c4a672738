import { createHash } from 'node:crypto';
import { Refusal } from '../../contracts/codes.ts';
import type { Gid, Uid } from '../../contracts/ids.ts';
import { groupCode, opensGroup } from '../app-keys/group-code.ts';
import { groupStream, mustBeIn, mustLive } from '../domain/group.ts';
import * as groupMembers from '../domain/group-members.ts';
import { mustBeActive, userStream } from '../domain/user.ts';
import { type Position, startOfLog } from '../log/log.ts';
import type { CommandContext } from './context.ts';
import { createGroupOnce, type Permitted } from './create-group.ts';
import { execute } from './execute.ts';
import { mustHaveRoomForGroup, separate } from './group-admission.ts';
import { mustExist } from './must-exist.ts';
import type { CommandParts } from './parts.ts';
import { currentSettings } from './setting.ts';
import { useAllowance } from './use-allowance.ts';

type Parts = Pick<CommandParts, 'log' | 'store' | 'database' | 'ids'>;

/** What a person creates a group with. */
export interface NewGroup {
  readonly owner: Uid;
  /** Whom they bring in; doubles and the owner are ignored. */
  readonly members: readonly Uid[];
  readonly name?: string | undefined;
  readonly avatar?: string | undefined;
  /** Makes it safe to repeat: the same owner and uniqueId give the same group. */
  readonly uniqueId?: string | undefined;
  /** Its number, by default a random one: for the server's key alone, and without a uniqueId. */
  readonly gid?: Gid | undefined;
}

/**
 * Creates a group.
 * @throws Refusal noUser, disabled, createGroupOff, limitReached, tooOften; illegal if the uniqueId was used for
 *   another request, or the gid is in use or may not be chosen
 */
export async function createGroup(
  parts: Parts & Pick<CommandParts, 'createdGroups'>,
  { owner, members, name, avatar, uniqueId, gid }: NewGroup,
  context: CommandContext,
): Promise<{ gid: Gid; position: Position }> {
  const { store, database } = parts;
  if (gid !== undefined) mayChooseGid(uniqueId, context);
  const permit = async (): Promise<Permitted> => {
    mustBeActive((await store.load(userStream(owner))).state);
    if ((await currentSettings(store)).create_group === 'off') throw new Refusal('createGroupOff');
    const others = [...new Set(members)].filter((uid) => uid !== owner);
    await mustExist(database, [owner, ...others]);
    const { joining, invitations } = await separate(parts, owner, others);
    await mustHaveRoomForGroup(parts, [owner, ...joining]);
    await useAllowance(parts, owner, 'groups created', context);
    await useAllowance(parts, owner, 'members added', context, others.length);
    return { members: joining, invitations };
  };
  const requestHash = createHash('sha256')
    .update(JSON.stringify({ members, groupname: name, avatar }))
    .digest('hex');
  const command = { owner, permit, name, avatar, gid };
  return createGroupOnce(parts, command, { uniqueId, requestHash }, context);
}

/** @throws Refusal illegal */
function mayChooseGid(uniqueId: string | undefined, { actor }: CommandContext): void {
  if (actor !== 'server') throw Refusal.illegal('gid', ':只有服务端密钥可以指定');
  if (uniqueId !== undefined) throw Refusal.illegal('gid', ':不能与uniqueId同时传递');
}

/**
 * Brings people into a group, or invites them if they must be asked first.
 * @throws Refusal illegal, noGroup, noUser, limitReached, tooOften
 */
export async function addMembers(
  parts: Parts,
  gid: Gid,
  { by, members }: { by: Uid; members: readonly Uid[] },
  context: CommandContext,
): Promise<Position> {
  const { store, database, ids } = parts;
  const group = mustBeIn((await store.load(groupStream(gid))).state, by);
  await mustExist(database, [by, ...members]);
  const others = [...new Set(members)].filter((uid) => !group.members.has(uid));
  const { joining, invitations } = await separate(parts, by, others);
  await mustHaveRoomForGroup(parts, joining);
  await useAllowance(parts, by, 'members added', context, others.length);
  const mid = await ids.nextMid();
  const { position } = await execute(parts, groupStream(gid), context, (state) =>
    groupMembers.addMembers(state, { by, members: joining, mid, invitations }),
  );
  return position;
}

/**
 * Joins a group by its QR code, or by its gid alone if the setting `join_by_gid` allows that.
 * @throws Refusal noUser, disabled, joinByCodeOff, tooOften, illegal, noGroup, limitReached
 */
export async function joinGroup(
  parts: Parts & Pick<CommandParts, 'app'>,
  gid: Gid,
  { uid, token }: { uid: Uid; token: string | undefined },
  context: CommandContext,
): Promise<Position> {
  const { app, store, database, ids } = parts;
  mustBeActive((await store.load(userStream(uid))).state);
  const settings = await currentSettings(store);
  if (settings.qrcode_group === 'off') throw new Refusal('joinByCodeOff');
  await useAllowance(parts, uid, 'joining tries', context);
  const { state } = await store.load(groupStream(gid));
  if (settings.join_by_gid === 'off' && !(state && token && opensGroup(app, state, token))) {
    // The same whether or not the group exists: only a holder of its token may learn that.
    throw new Refusal('illegal', '群二维码无效或已失效');
  }
  if (!mustLive(state).members.has(uid)) await mustHaveRoomForGroup(parts, [uid]);
  await mustExist(database, [uid]);
  const mid = await ids.nextMid();
  const { position } = await execute(parts, groupStream(gid), context, (present) =>
    groupMembers.joinGroup(present, { uid, mid }),
  );
  return position;
}

/**
 * Leaves several groups. What refuses one of them refuses all, before anything is appended.
 * @throws Refusal illegal for a group that one owns
 */
export async function leaveGroups(
  parts: Pick<CommandParts, 'log' | 'store'>,
  { uid, gids }: { uid: Uid; gids: readonly Gid[] },
  context: CommandContext,
): Promise<Position> {
  const streams = [...new Set(gids)].map(groupStream);
  for (const stream of streams) groupMembers.leaveGroup((await parts.store.load(stream)).state, { uid });
  let last = startOfLog;
  for (const stream of streams) {
    const { events, position } = await execute(parts, stream, context, (state) =>
      groupMembers.leaveGroup(state, { uid }),
    );
    if (events.length > 0 && position > last) last = position;
  }
  return last;
}

/** The token of a group's QR code, for a member. @throws Refusal illegal, noGroup */
export async function groupCodeFor(
  { app, store }: Pick<CommandParts, 'app' | 'store'>,
  gid: Gid,
  uid: Uid,
): Promise<string> {
  return groupCode(app, mustBeIn((await store.load(groupStream(gid))).state, uid));
}
