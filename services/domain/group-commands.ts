import { maxFaces } from '../../contracts/avatars.ts';
import { Refusal } from '../../contracts/codes.ts';
import type { GroupEvent } from '../../contracts/events/group.ts';
import type { ApplicationId, Gid, Mid, Uid } from '../../contracts/ids.ts';
import {
  type GroupState,
  isMuted,
  type LivingGroup,
  mayManage,
  mustBeIn,
  mustLive,
  roleOf,
} from './group.ts';
import {
  answering,
  type Invitations,
  inviteMembers,
  inviting,
  mustBeStandingInvitation,
} from './group-invitations.ts';

/** The most members a group has. */
export const maxMembers = 10_000;

/** Creates a group: the owner first, then the members in the order given, doubles dropped. */
export function createGroup(
  state: GroupState,
  command: {
    gid: Gid;
    owner: Uid;
    members: readonly Uid[];
    mid: Mid;
    name?: string | undefined;
    avatar?: string | undefined;
    /** Who is asked first, instead of being a member. */
    invitations?: Invitations;
  },
): GroupEvent[] {
  if (state) return [];
  const { gid, owner, mid, name, avatar, invitations = [] } = command;
  const members = [...new Set([owner, ...command.members])];
  if (members.length > maxMembers) throw new Refusal('illegal', `群成员不能超过${maxMembers}人`);
  const noticeMid = members.length > 1 ? mid : null;
  return [
    {
      type: 'GroupCreated',
      data: { gid, owner, members, name: name || null, avatar: avatar || null, noticeMid },
    },
    ...inviting(gid, owner, invitations),
  ];
}

/** A member brings others in; who is in already is passed over. Who is to be asked first is invited. */
export function addMembers(
  state: GroupState,
  command: {
    by: Uid;
    members: readonly Uid[];
    mid: Mid;
    invitations?: Invitations;
  },
): GroupEvent[] {
  const { by, mid, invitations = [] } = command;
  const group = mustBeIn(state, by);
  return [...admitting(group, by, command.members, mid), ...inviteMembers(group, by, invitations)];
}

/** Makes members of those who are none yet, brought in by `by`. */
function admitting(group: LivingGroup, by: Uid, uids: readonly Uid[], noticeMid: Mid): GroupEvent[] {
  const members = [...new Set(uids)].filter((uid) => !group.members.has(uid));
  if (members.length === 0) return [];
  mustHaveRoom(group, members.length);
  const { gid } = group;
  return [
    { type: 'MembersAdded', data: { gid, by, members, noticeMid } },
    ...answering(group, members, 'agree'),
  ];
}

/** Someone agrees to an invitation: the one who invited brings them in. Throws noRecord. */
export function agreeToInvitation(
  state: GroupState,
  command: { uid: Uid; applicationId: ApplicationId; mid: Mid },
): GroupEvent[] {
  const group = mustLive(state);
  const { uid, applicationId, mid } = command;
  if (group.members.has(uid)) return [];
  const { by } = mustBeStandingInvitation(group, uid, applicationId);
  return admitting(group, by, [uid], mid);
}

/** Someone joins by the group's QR code. A member already: nothing. */
export function joinGroup(state: GroupState, command: { uid: Uid; mid: Mid }): GroupEvent[] {
  const group = mustLive(state);
  const { uid, mid } = command;
  if (group.members.has(uid)) return [];
  mustHaveRoom(group, 1);
  return [
    { type: 'MemberJoined', data: { gid: group.gid, uid, noticeMid: mid } },
    ...answering(group, [uid], 'agree'),
  ];
}

function mustHaveRoom(group: LivingGroup, more: number): void {
  if (group.members.size + more > maxMembers) throw new Refusal('illegal', `群成员不能超过${maxMembers}人`);
}

function mustOwn(group: LivingGroup, uid: Uid): void {
  if (group.owner !== uid) throw new Refusal('illegal', '只有群主可以进行该操作');
}

/** The owner removes members; who is not in is passed over, the owner cannot be removed. */
export function removeMembers(
  state: GroupState,
  command: { by: Uid; members: readonly Uid[] },
): GroupEvent[] {
  const { by } = command;
  const group = mustBeIn(state, by);
  mustOwn(group, by);
  if (command.members.includes(by)) throw new Refusal('illegal', '不能移除群主');
  const members = [...new Set(command.members)].filter((uid) => group.members.has(uid));
  if (members.length === 0) return [];
  const faces = facesWithout(group, members);
  return [{ type: 'MembersRemoved', data: { gid: group.gid, by, members, faces } }];
}

/** Who makes the group's picture once these have left. */
function facesWithout({ members }: LivingGroup, leaving: readonly Uid[]): Uid[] {
  const gone = new Set(leaving);
  return [
    ...members
      .keys()
      .filter((uid) => !gone.has(uid))
      .take(maxFaces),
  ];
}

/** A member leaves. The owner cannot; who is no member has left already, as has who is in no such group. */
export function leaveGroup(group: GroupState, { uid }: { uid: Uid }): GroupEvent[] {
  if (!group?.members.has(uid) || group.dissolved) return [];
  if (group.owner === uid) throw new Refusal('illegal', '群主不能退出群组,请先转让或删除群组');
  return [{ type: 'MemberLeft', data: { gid: group.gid, uid, faces: facesWithout(group, [uid]) } }];
}

/** The owner makes a member a manager, or no more. */
export function setManager(
  state: GroupState,
  { by, uid, manager }: { by: Uid; uid: Uid; manager: boolean },
): GroupEvent[] {
  const group = mustBeIn(state, by);
  mustOwn(group, by);
  if (uid === group.owner) throw new Refusal('illegal', '不能将群主设置为管理员');
  const member = group.members.get(uid);
  if (!member) throw new Refusal('illegal', '该用户不是群成员');
  if (member.manager === manager) return [];
  return [{ type: manager ? 'ManagerAppointed' : 'ManagerDismissed', data: { gid: group.gid, uid } }];
}

/** Durations come from old clients: below this a time is seconds from now (docs/behaviour.md, Groups). */
const leastTimestamp = 1_000_000_000;

/**
 * Mutes a member until `time`, or ends it where `time` is 0 or past; the latter also for one who has
 * left meanwhile, for whom it would hold on return. The owner mutes anyone else, managers mute ordinary
 * members. `now` in whole seconds since 1970.
 */
export function muteMember(
  state: GroupState,
  command: { by: Uid; uid: Uid; time: number; now: number; mid: Mid },
): GroupEvent[] {
  const { by, uid, time, now, mid } = command;
  const group = mustBeIn(state, by);
  const outranks =
    roleOf(group, by) === 'owner'
      ? uid !== by
      : roleOf(group, by) === 'manager' && ['member', 'none'].includes(roleOf(group, uid));
  if (!outranks) throw new Refusal('illegal', '没有权限禁言该成员');
  const until = time > 0 && time < leastTimestamp ? now + time : time;
  const { gid } = group;
  if (until <= now) {
    if (!isMuted(group, uid, now)) return [];
    return [{ type: 'MemberUnmuted', data: { gid, by, uid, noticeMid: mid } }];
  }
  if (!group.members.has(uid)) throw new Refusal('illegal', '该用户不是群成员');
  if (group.mutes.get(uid) === until) return [];
  return [{ type: 'MemberMuted', data: { gid, by, uid, until, noticeMid: mid } }];
}

/** The owner or a manager mutes everyone else, or ends it. */
export function muteGroup(
  state: GroupState,
  { by, muted, mid }: { by: Uid; muted: boolean; mid: Mid },
): GroupEvent[] {
  const group = mustBeIn(state, by);
  if (!mayManage(group, by)) throw new Refusal('illegal', '没有权限设置全体禁言');
  if (group.muted === muted) return [];
  const { gid } = group;
  return [{ type: muted ? 'GroupMuted' : 'GroupUnmuted', data: { gid, by, noticeMid: mid } }];
}

/** A member's own name for the group; empty: none. */
export function remarkGroup(state: GroupState, { uid, remark }: { uid: Uid; remark: string }): GroupEvent[] {
  const group = mustBeIn(state, uid);
  return group.members.get(uid)?.remark === remark
    ? []
    : [{ type: 'GroupRemarked', data: { gid: group.gid, uid, remark } }];
}

/** The owner or a manager changes the group's name or picture. */
export function updateGroup(
  state: GroupState,
  { by, name, avatar }: { by: Uid; name?: string | undefined; avatar?: string | undefined },
): GroupEvent[] {
  const group = mustBeIn(state, by);
  if (!mayManage(group, by)) throw new Refusal('illegal', '没有权限修改群资料');
  const changes = {
    ...(name !== undefined && name !== group.name ? { name } : {}),
    ...(avatar !== undefined && avatar !== group.avatar ? { avatar } : {}),
  };
  if (Object.keys(changes).length === 0) return [];
  return [{ type: 'GroupUpdated', data: { gid: group.gid, by, ...changes } }];
}

/** The owner hands the group over to a member, and stays an ordinary one. */
export function transferGroup(state: GroupState, { by, to }: { by: Uid; to: Uid }): GroupEvent[] {
  const group = mustBeIn(state, by);
  mustOwn(group, by);
  if (to === by) return [];
  if (!group.members.has(to)) throw new Refusal('illegal', '该用户不是群成员');
  return [{ type: 'GroupTransferred', data: { gid: group.gid, from: by, to } }];
}

/** So many members one event releases: each is some rows of the read models and a push. */
const maxReleasedAtOnce = 1_000;

/** The owner or a manager makes every token of the group's QR code so far worthless. */
export function revokeCodes(state: GroupState, { by }: { by: Uid }): GroupEvent[] {
  const group = mustBeIn(state, by);
  if (!mayManage(group, by)) throw new Refusal('illegal', '没有权限重置群二维码');
  return [{ type: 'CodesRevoked', data: { gid: group.gid, by } }];
}

/** The owner dissolves the group. */
export function dissolveGroup(state: GroupState, { by }: { by: Uid }): GroupEvent[] {
  const group = mustBeIn(state, by);
  mustOwn(group, by);
  const { gid } = group;
  const uids = [...group.members.keys()];
  const events: GroupEvent[] = [];
  for (let from = 0; from < uids.length; from += maxReleasedAtOnce) {
    const members = uids.slice(from, from + maxReleasedAtOnce);
    events.push({ type: 'MembersReleased', data: { gid, members } });
  }
  return [...events, { type: 'GroupDissolved', data: { gid, by, released: true } }];
}
