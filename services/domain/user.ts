import { Refusal } from '../../contracts/codes.ts';
import type { UserEvent } from '../../contracts/events/user.ts';
import type { NumberId, Uid } from '../../contracts/ids.ts';
import { type Aggregate, type AggregateStream, streamName } from './aggregate.ts';

/** A person's account, as far as deciding needs it; `null` if nobody has the uid. */
export type UserState = {
  readonly uid: Uid;
  readonly nickname: string;
  readonly avatar: string;
  readonly sign: string;
  readonly phone: string | null;
  readonly disabled: boolean;
  readonly isMember: boolean;
  /** Of a deleted account: whether everything that the deletion ends has ended. Null: it is not deleted. */
  readonly deletion: 'begun' | 'completed' | null;
  /** The member (会员) who opened it. */
  readonly parent: Uid | null;
} | null;

/** The stream `user-{uid}`. */
export function userStream(uid: Uid): AggregateStream<UserState, UserEvent> {
  return { aggregate: user, name: streamName(`user-${uid}`) };
}

export const user: Aggregate<UserState, UserEvent> = {
  version: 2,
  initial: () => null,
  evolve: (state, event) => {
    if (event.type === 'UserRegistered') {
      const { uid, nickname, avatar, sign, phone, parent } = event.data;
      const fresh = { disabled: false, isMember: false, deletion: null };
      return state ?? { uid, nickname, avatar, sign, phone, parent, ...fresh };
    }
    if (!state) return state;
    switch (event.type) {
      case 'ProfileChanged':
        return {
          ...state,
          nickname: event.data.nickname ?? state.nickname,
          avatar: event.data.avatar ?? state.avatar,
          sign: event.data.sign ?? state.sign,
        };
      case 'PhoneBound':
        return { ...state, phone: event.data.phone };
      case 'AccountDisabled':
        return { ...state, disabled: true };
      case 'AccountEnabled':
        return { ...state, disabled: false };
      case 'AccountDeleted':
        return { ...state, phone: null, deletion: state.deletion ?? 'begun' };
      case 'AccountDeletionCompleted':
        return { ...state, deletion: 'completed' };
      case 'MembershipGranted':
        return { ...state, isMember: true };
      case 'MembershipRevoked':
        return { ...state, isMember: false };
    }
  },
  weight: () => 1,
};

export interface Registration {
  readonly uid: Uid;
  readonly username: string;
  readonly nickname: string;
  readonly avatar: string;
  readonly sign: string;
  readonly phone: string | null;
  readonly numberId: NumberId;
  readonly parent: Uid | null;
}

/** Registers a person whose names are reserved. Registered already: nothing. */
export function register(state: UserState, registration: Registration): UserEvent[] {
  return state ? [] : [{ type: 'UserRegistered', data: registration }];
}

/** @throws Refusal noUser if nobody ever had the uid */
export function mustHaveExisted(state: UserState): NonNullable<UserState> {
  if (!state) throw new Refusal('noUser');
  return state;
}

/** @throws Refusal noUser if nobody has the uid, or the account was deleted */
export function mustExist(state: UserState): NonNullable<UserState> {
  const known = mustHaveExisted(state);
  if (known.deletion !== null) throw new Refusal('noUser', '账号已注销');
  return known;
}

/** @throws Refusal noUser; disabled for a person who may not act (docs/behaviour.md, Users) */
export function mustBeActive(state: UserState): NonNullable<UserState> {
  const existing = mustExist(state);
  if (existing.disabled) throw new Refusal('disabled');
  return existing;
}

export interface AccountChanges {
  readonly nickname?: string | undefined;
  readonly avatar?: string | undefined;
  readonly sign?: string | undefined;
  readonly phone?: string | undefined;
  readonly disabled?: boolean | undefined;
  readonly isMember?: boolean | undefined;
}

/** Changes the profile and what the server's key may change; no event for what does not differ. */
export function changeAccount(state: UserState, changes: AccountChanges): UserEvent[] {
  const { uid, ...now } = mustExist(state);
  const events: UserEvent[] = [];
  const profile = Object.fromEntries(
    (['nickname', 'avatar', 'sign'] as const)
      .filter((field) => changes[field] !== undefined && changes[field] !== now[field])
      .map((field) => [field, changes[field]]),
  );
  if (Object.keys(profile).length > 0) events.push({ type: 'ProfileChanged', data: { uid, ...profile } });
  if (changes.phone !== undefined && changes.phone !== now.phone) {
    events.push({ type: 'PhoneBound', data: { uid, phone: changes.phone } });
  }
  if (changes.disabled !== undefined && changes.disabled !== now.disabled) {
    events.push({ type: changes.disabled ? 'AccountDisabled' : 'AccountEnabled', data: { uid } });
  }
  if (changes.isMember !== undefined && changes.isMember !== now.isMember) {
    events.push({ type: changes.isMember ? 'MembershipGranted' : 'MembershipRevoked', data: { uid } });
  }
  return events;
}

/** Deletes an account. Deleted already: nothing. @throws Refusal noUser if nobody ever had the uid */
export function deleteAccount(state: UserState): UserEvent[] {
  const { uid, deletion } = mustHaveExisted(state);
  return deletion === null ? [{ type: 'AccountDeleted', data: { uid } }] : [];
}

/** Records that everything which the deletion ends has ended. */
export function completeDeletion(state: UserState): UserEvent[] {
  return state?.deletion === 'begun' ? [{ type: 'AccountDeletionCompleted', data: { uid: state.uid } }] : [];
}
