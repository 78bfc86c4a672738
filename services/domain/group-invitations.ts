import { Refusal } from '../../contracts/codes.ts';
import type { GroupEvent } from '../../contracts/events/group.ts';
import type { ApplicationId, Gid, Uid } from '../../contracts/ids.ts';
import type { GroupState, Invitation, LivingGroup } from './group.ts';

/** So many invitations of a group wait for an answer at most: ten calls of 1,000, a whole group. */
export const maxInvitations = 10_000;

/** Who is asked, under which application's id. */
export type Invitations = readonly { readonly uid: Uid; readonly applicationId: ApplicationId }[];

/** The event that asks these people, if there are any. */
export function inviting(gid: Gid, by: Uid, invitations: Invitations): GroupEvent[] {
  if (invitations.length === 0) return [];
  return [{ type: 'MembersInvited', data: { gid, by, invitations: [...invitations] } }];
}

/**
 * Asks people who are no members; who was asked and has not answered is not asked again. An invitation by one
 * who is no member any more counts as refused then, since it brings nobody in.
 */
export function inviteMembers(group: LivingGroup, by: Uid, invitations: Invitations): GroupEvent[] {
  const fresh = invitations.filter(
    ({ uid }) => !group.members.has(uid) && !isStanding(group, group.invitations.get(uid)),
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

/** Whether an invitation still brings someone in: only while the person who made it is a member. */
function isStanding({ members }: LivingGroup, invitation: Invitation | undefined): boolean {
  return invitation !== undefined && members.has(invitation.by);
}

/** Answers the invitations of those who have one; `agree` for those who become members. */
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

/** The invitation of `uid` under an application's id. Throws noRecord. */
function mustBeInvited(group: LivingGroup, uid: Uid, applicationId: ApplicationId): Invitation {
  const invitation = group.invitations.get(uid);
  if (invitation?.applicationId !== applicationId) throw new Refusal('noRecord', '入群邀请不存在');
  return invitation;
}

/**
 * The same, of one that can be agreed to.
 * @throws Refusal noRecord, also if who made it is no member any more
 */
export function mustBeStandingInvitation(
  group: LivingGroup,
  uid: Uid,
  applicationId: ApplicationId,
): Invitation {
  const invitation = mustBeInvited(group, uid, applicationId);
  if (!isStanding(group, invitation)) throw new Refusal('noRecord', '邀请人已不在该群,邀请已失效');
  return invitation;
}

/** Refuses an invitation; in a group that is dissolved too. Throws noRecord. */
export function refuseInvitation(
  state: GroupState,
  { uid, applicationId }: { uid: Uid; applicationId: ApplicationId },
): GroupEvent[] {
  if (!state) throw new Refusal('noGroup');
  return [answered(state.gid, uid, mustBeInvited(state, uid, applicationId), 'refuse')];
}
