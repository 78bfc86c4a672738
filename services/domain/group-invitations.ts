import { Refusal } from '../../contracts/codes.ts';
import type { GroupEvent } from '../../contracts/events/group.ts';
import type { ApplicationId, Gid, Uid } from '../../contracts/ids.ts';
import type { GroupState, Invitation, LivingGroup } from './group.ts';

/** Invitations of a group that wait for an answer: as many as its members, in ten calls of 1,000. */
export const maxInvitations = 10_000;

/** The invited people, with the ids of their applications. */
export type Invitations = readonly { readonly uid: Uid; readonly applicationId: ApplicationId }[];

/** The event that invites these people, if there are any. */
export function inviting(gid: Gid, by: Uid, invitations: Invitations): GroupEvent[] {
  if (invitations.length === 0) return [];
  return [{ type: 'MembersInvited', data: { gid, by, invitations: [...invitations] } }];
}

/**
 * Invites people who are no members and have no invitation that is valid. An invitation by a former member ends as
 * refused then, since it can bring nobody in.
 */
export function inviteMembers(group: LivingGroup, by: Uid, invitations: Invitations): GroupEvent[] {
  const fresh = invitations.filter(
    ({ uid }) => !group.members.has(uid) && !isValid(group, group.invitations.get(uid)),
  );
  const ended = answering(
    group,
    fresh.map(({ uid }) => uid),
    'refuse',
  );
  if (group.invitations.size - ended.length + fresh.length > maxInvitations) {
    throw new Refusal('limitReached', `等待答复的入群邀请不能超过${maxInvitations}个`);
  }
  return [...ended, ...inviting(group.gid, by, fresh)];
}

/** Whether an invitation can bring somebody in: only while its author is a member. */
function isValid({ members }: LivingGroup, invitation: Invitation | undefined): boolean {
  return invitation !== undefined && members.has(invitation.by);
}

/** Answers the invitations of those who have one: with `agree` if they become members. */
export function answering(
  group: LivingGroup,
  uids: readonly Uid[],
  answer: 'agree' | 'refuse',
): GroupEvent[] {
  return uids.flatMap((uid) => {
    const invitation = group.invitations.get(uid);
    return invitation ? [answered(group.gid, uid, invitation, answer)] : [];
  });
}

function answered(gid: Gid, uid: Uid, { applicationId }: Invitation, answer: 'agree' | 'refuse'): GroupEvent {
  return { type: 'InvitationAnswered', data: { gid, uid, applicationId, answer } };
}

/** The invitation of `uid` under an application's id. @throws Refusal noRecord */
function mustBeInvited(group: LivingGroup, uid: Uid, applicationId: ApplicationId): Invitation {
  const invitation = group.invitations.get(uid);
  if (invitation?.applicationId !== applicationId) throw new Refusal('noRecord', '入群邀请不存在');
  return invitation;
}

/**
 * The invitation of `uid` under an application's id, if it can be agreed to.
 * @throws Refusal noRecord, also if its author is no longer a member
 */
export function mustBeValidInvitation(
  group: LivingGroup,
  uid: Uid,
  applicationId: ApplicationId,
): Invitation {
  const invitation = mustBeInvited(group, uid, applicationId);
  if (!isValid(group, invitation)) throw new Refusal('noRecord', '邀请人已不在该群,邀请已失效');
  return invitation;
}

/** Refuses an invitation, also after the group was dissolved. @throws Refusal noGroup, noRecord */
export function refuseInvitation(
  state: GroupState,
  { uid, applicationId }: { uid: Uid; applicationId: ApplicationId },
): GroupEvent[] {
  if (!state) throw new Refusal('noGroup');
  return [answered(state.gid, uid, mustBeInvited(state, uid, applicationId), 'refuse')];
}
