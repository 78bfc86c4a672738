import { Refusal } from '../../contracts/codes.ts';
import type { GroupEvent } from '../../contracts/events/group.ts';
import type { ApplicationId, Gid, Uid } from '../../contracts/ids.ts';
import { type Aggregate, type AggregateStream, streamName } from './aggregate.ts';

export interface Member {
  readonly manager: boolean;
  /** The name that they give the group. */
  readonly remark: string;
}

/** An invitation that waits for an answer. */
export interface Invitation {
  readonly by: Uid;
  readonly applicationId: ApplicationId;
}

/** A group, as far as deciding needs it; `null` if no group has the gid. */
export type GroupState = {
  readonly gid: Gid;
  readonly dissolved: boolean;
  /** Who created it; the current owner may be somebody else. */
  readonly founder: Uid;
  readonly owner: Uid;
  /** Null: that of its first members' nicknames, which the read models show. */
  readonly name: string | null;
  readonly avatar: string | null;
  readonly muted: boolean;
  /** In the order of joining. Changed in place by `evolve`. */
  readonly members: Map<Uid, Member>;
  /**
   * When mutes end, in whole seconds since 1970. They also hold for people who leave and return. Changed in place.
   */
  readonly mutes: Map<Uid, number>;
  /** The last invitation of each person who has not answered. Changed in place. */
  readonly invitations: Map<Uid, Invitation>;
  /** How often the tokens of its QR code were revoked; a token is valid for one such number. */
  readonly revokedCodes: number;
} | null;

/** The stream `group-{gid}`. */
export function groupStream(gid: Gid): AggregateStream<GroupState, GroupEvent> {
  return { aggregate: group, name: streamName(`group-${gid}`) };
}

const joined: Member = { manager: false, remark: '' };

export const group: Aggregate<GroupState, GroupEvent> = {
  version: 1,
  initial: () => null,
  evolve: (state, event, time) => {
    if (event.type === 'GroupCreated') {
      const { gid, owner, name, avatar } = event.data;
      const members = new Map(event.data.members.map((uid) => [uid, joined]));
      const fresh = { members, mutes: new Map(), invitations: new Map(), revokedCodes: 0 };
      const quiet = { dissolved: false, muted: false };
      return state ?? { gid, founder: owner, owner, name, avatar, ...quiet, ...fresh };
    }
    if (!state) return state;
    const { members, mutes } = state;
    const change = (uid: Uid, changes: Partial<Member>) => {
      const member = members.get(uid);
      if (member) members.set(uid, { ...member, ...changes });
    };
    switch (event.type) {
      case 'MembersAdded':
        for (const uid of event.data.members) members.set(uid, joined);
        return state;
      case 'MemberJoined':
        members.set(event.data.uid, joined);
        return state;
      case 'MembersRemoved':
        for (const uid of event.data.members) members.delete(uid);
        return state;
      case 'MemberLeft':
        members.delete(event.data.uid);
        return state;
      case 'ManagerAppointed':
        change(event.data.uid, { manager: true });
        return state;
      case 'ManagerDismissed':
        change(event.data.uid, { manager: false });
        return state;
      case 'MemberMuted':
        mutes.set(event.data.uid, event.data.until);
        letExpire(mutes, time);
        return state;
      case 'MemberUnmuted':
        mutes.delete(event.data.uid);
        return state;
      case 'GroupMuted':
        return { ...state, muted: true };
      case 'GroupUnmuted':
        return { ...state, muted: false };
      case 'GroupRemarked':
        change(event.data.uid, { remark: event.data.remark });
        return state;
      case 'GroupUpdated':
        return {
          ...state,
          name: event.data.name ?? state.name,
          avatar: event.data.avatar ?? state.avatar,
        };
      case 'GroupTransferred':
        change(event.data.to, { manager: false });
        mutes.delete(event.data.to);
        return { ...state, owner: event.data.to };
      case 'MembersInvited': {
        const { by, invitations } = event.data;
        for (const { uid, applicationId } of invitations) state.invitations.set(uid, { by, applicationId });
        return state;
      }
      case 'InvitationAnswered':
        state.invitations.delete(event.data.uid);
        return state;
      case 'CodesRevoked':
        return { ...state, revokedCodes: state.revokedCodes + 1 };
      case 'MembersReleased':
        // Former members stay known: they get another refusal than strangers.
        return state;
      case 'GroupDissolved':
        return { ...state, dissolved: true };
    }
  },
  weight: (state) => 1 + (state ? (state.members.size + state.mutes.size + state.invitations.size) / 20 : 0),
};

/**
 * Forgets expired mutes. Each added mute checks two others, in turn, so that those of people who left do not
 * accumulate, and no event costs more than another.
 */
function letExpire(mutes: Map<Uid, number>, time: number): void {
  for (const [uid, until] of [...mutes.entries().take(2)]) {
    mutes.delete(uid);
    if (until > time) mutes.set(uid, until);
  }
}

/** Whether `uid` is muted at `now` (seconds since 1970), member or not. */
export function isMuted({ mutes }: LivingGroup, uid: Uid, now: number): boolean {
  return (mutes.get(uid) ?? 0) > now;
}

export type LivingGroup = NonNullable<GroupState>;

/** @throws Refusal noGroup if there is no such group, or it was dissolved */
export function mustLive(state: GroupState): LivingGroup {
  if (!state || state.dissolved) throw new Refusal('noGroup');
  return state;
}

/**
 * The group, for a person who is in it. A missing group, and one that `uid` is not in, get the same refusal, so that
 * nobody finds groups by trying gids. Those who were members when it was dissolved get noGroup.
 * @throws Refusal illegal, noGroup
 */
export function mustBeIn(state: GroupState, uid: Uid): LivingGroup {
  if (!state?.members.has(uid)) throw new Refusal('illegal', '群组不存在,或你不是该群成员');
  return mustLive(state);
}

/** The role of `uid`; `none` for people who are no members. */
export function roleOf(state: LivingGroup, uid: Uid): 'owner' | 'manager' | 'member' | 'none' {
  if (state.owner === uid) return 'owner';
  const member = state.members.get(uid);
  if (!member) return 'none';
  return member.manager ? 'manager' : 'member';
}

/** Whether `uid` is the owner or a manager. */
export function mayManage(state: LivingGroup, uid: Uid): boolean {
  const role = roleOf(state, uid);
  return role === 'owner' || role === 'manager';
}

/**
 * Whether `uid` may speak at `now` (seconds since 1970).
 * @throws Refusal as `mustBeIn`; then muted; then groupMuted for ordinary members
 */
export function mustMaySpeak(state: GroupState, uid: Uid, now: number): void {
  const group = mustBeIn(state, uid);
  if (group.owner === uid) return;
  if (isMuted(group, uid, now)) throw new Refusal('muted');
  if (group.muted && !mayManage(group, uid)) throw new Refusal('groupMuted');
}

/** @throws Refusal illegal if `uid` is not the owner */
export function mustOwn(group: LivingGroup, uid: Uid): void {
  if (group.owner !== uid) throw new Refusal('illegal', '只有群主可以进行该操作');
}
