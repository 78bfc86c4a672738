import { Refusal } from '../../contracts/codes.ts';
import type { GroupEvent } from '../../contracts/events/group.ts';
import type { Gid, Uid } from '../../contracts/ids.ts';
import { type Aggregate, type AggregateStream, streamName } from './aggregate.ts';

export interface Member {
  readonly manager: boolean;
  /** Until when they may not speak, in whole seconds since 1970; 0: they may. */
  readonly mutedUntil: number;
  /** What they call the group. */
  readonly remark: string;
}

/** A group, as far as deciding needs it; `null` where there never was one of that gid. */
export type GroupState = {
  readonly gid: Gid;
  readonly dissolved: boolean;
  /** Who created it; the owner may be another by now. */
  readonly founder: Uid;
  readonly owner: Uid;
  readonly name: string;
  readonly avatar: string | null;
  readonly muted: boolean;
  /** In joining order. Changed in place by `evolve`, which consumes its state. */
  readonly members: Map<Uid, Member>;
} | null;

/** The stream `group-{gid}`. */
export function groupStream(gid: Gid): AggregateStream<GroupState, GroupEvent> {
  return { aggregate: group, name: streamName(`group-${gid}`) };
}

const joined: Member = { manager: false, mutedUntil: 0, remark: '' };

export const group: Aggregate<GroupState, GroupEvent> = {
  initial: () => null,
  evolve: (state, event) => {
    if (event.type === 'GroupCreated') {
      const { gid, owner, name, avatar } = event.data;
      const members = new Map(event.data.members.map((uid) => [uid, joined]));
      return state ?? { gid, founder: owner, owner, name, avatar, members, dissolved: false, muted: false };
    }
    if (!state) return state;
    const { members } = state;
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
        change(event.data.uid, { mutedUntil: event.data.until });
        return state;
      case 'MemberUnmuted':
        change(event.data.uid, { mutedUntil: 0 });
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
        change(event.data.to, { manager: false, mutedUntil: 0 });
        return { ...state, owner: event.data.to };
      case 'GroupDissolved':
        return { ...state, dissolved: true };
    }
  },
  weight: (state) => 1 + (state ? state.members.size / 20 : 0),
};

export type LivingGroup = NonNullable<GroupState>;

/** Throws noGroup where there is no such group, or no more. */
export function mustLive(state: GroupState): LivingGroup {
  if (!state || state.dissolved) throw new Refusal('noGroup');
  return state;
}

/** Throws illegal unless `uid` is a member; answers their membership. */
export function mustBeMember(state: LivingGroup, uid: Uid): Member {
  const member = state.members.get(uid);
  if (!member) throw new Refusal('illegal', '你不是该群成员');
  return member;
}

/** Whether `uid` is the owner, a manager, an ordinary member, or none. */
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
 * Throws where `uid` may not speak now (seconds since 1970): illegal for who is no member, then
 * muted, then groupMuted for ordinary members.
 */
export function mustMaySpeak(state: LivingGroup, uid: Uid, now: number): void {
  const member = mustBeMember(state, uid);
  if (state.owner === uid) return;
  if (member.mutedUntil > now) throw new Refusal('muted');
  if (state.muted && !member.manager) throw new Refusal('groupMuted');
}
