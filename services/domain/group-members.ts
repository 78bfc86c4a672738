import { maxFaces } from '../../contracts/avatars.ts';
import { Refusal } from '../../contracts/codes.ts';
import type { GroupEvent } from '../../contracts/events/group.ts';
import type { ApplicationId, Mid, Uid } from '../../contracts/ids.ts';
import { type GroupState, type LivingGroup, mustBeIn, mustLive, mustOwn } from './group.ts';
import { answering, type Invitations, inviteMembers, mustBeValidInvitation } from './group-invitations.ts';

/** Members of a group, which is folded into memory as a whole. */
export const maxMembers = 10_000;

/** A member brings others in; who is a member already is ignored. Those in `invitations` are invited. */
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

/** Makes those members who are none yet, brought in by `by`. */
function admitting(group: LivingGroup, by: Uid, uids: readonly Uid[], noticeMid: Mid): GroupEvent[] {
  const members = [...new Set(uids)].filter((uid) => !group.members.has(uid));
  if (members.length === 0) return [];
  mustFit(group.members.size + members.length);
  const { gid } = group;
  return [
    { type: 'MembersAdded', data: { gid, by, members, noticeMid } },
    ...answering(group, members, 'agree'),
  ];
}

/** Somebody agrees to an invitation: its author brings them in. @throws Refusal noGroup, noRecord, illegal */
export function agreeToInvitation(
  state: GroupState,
  command: { uid: Uid; applicationId: ApplicationId; mid: Mid },
): GroupEvent[] {
  const group = mustLive(state);
  const { uid, applicationId, mid } = command;
  if (group.members.has(uid)) return [];
  const { by } = mustBeValidInvitation(group, uid, applicationId);
  return admitting(group, by, [uid], mid);
}

/** Somebody joins by the group's QR code. A member already: nothing. */
export function joinGroup(state: GroupState, command: { uid: Uid; mid: Mid }): GroupEvent[] {
  const group = mustLive(state);
  const { uid, mid } = command;
  if (group.members.has(uid)) return [];
  mustFit(group.members.size + 1);
  return [
    { type: 'MemberJoined', data: { gid: group.gid, uid, noticeMid: mid } },
    ...answering(group, [uid], 'agree'),
  ];
}

/** @throws Refusal illegal if a group cannot have this many members */
export function mustFit(members: number): void {
  if (members > maxMembers) throw new Refusal('illegal', `群成员不能超过${maxMembers}人`);
}

/** The owner removes members; who is no member is ignored, the owner cannot be removed. */
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

/** The members whose faces are the group's picture after these have left. */
function facesWithout({ members }: LivingGroup, leaving: readonly Uid[]): Uid[] {
  const gone = new Set(leaving);
  return [
    ...members
      .keys()
      .filter((uid) => !gone.has(uid))
      .take(maxFaces),
  ];
}

/** A member leaves; the owner cannot. Who is no member, or names no group, has nothing to leave. */
export function leaveGroup(group: GroupState, { uid }: { uid: Uid }): GroupEvent[] {
  if (!group?.members.has(uid) || group.dissolved) return [];
  if (group.owner === uid) throw new Refusal('illegal', '群主不能退出群组,请先转让或删除群组');
  return [{ type: 'MemberLeft', data: { gid: group.gid, uid, faces: facesWithout(group, [uid]) } }];
}
