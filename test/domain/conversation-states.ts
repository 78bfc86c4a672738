import { Refusal } from '../../contracts/codes.ts';
import type { GroupEvent } from '../../contracts/events/group.ts';
import type { UserEvent } from '../../contracts/events/user.ts';
import { NumberId, type Uid } from '../../contracts/ids.ts';
import { defaultSettings, type Settings } from '../../contracts/settings.ts';
import { fold } from '../../services/domain/aggregate.ts';
import type { Addressee } from '../../services/domain/conversation.ts';
import { friendship } from '../../services/domain/friendship.ts';
import { group } from '../../services/domain/group.ts';
import { user } from '../../services/domain/user.ts';
import { gid, mid, uid } from '../support/events.ts';

export const now = 1_700_000_000;
export const [me, other] = [uid(1), uid(2)];

export function person(who: Uid, ...events: UserEvent[]) {
  const profile = { username: `u${who}`, nickname: `n${who}`, avatar: '', sign: '', phone: null };
  const data = { uid: who, ...profile, numberId: NumberId.parse(7_000_000), parent: null };
  return fold(user, [{ type: 'UserRegistered', data }, ...events]);
}

export const disabled: UserEvent = { type: 'AccountDisabled', data: { uid: me } };

export function friend(friends: boolean, exists = true): Addressee {
  const befriended = { type: 'Befriended', data: { by: me, friend: other } } as const;
  return {
    type: 'friend',
    uid: other,
    user: exists ? person(other) : null,
    friendship: fold(friendship, friends ? [befriended] : []),
  };
}

export function groupOf(...events: GroupEvent[]) {
  const members = [1, 2, 3, 4].map(uid);
  const data = { gid: gid(50), owner: uid(4), members, name: '群', avatar: null, noticeMid: null };
  return fold(group, [{ type: 'GroupCreated', data }, ...events]);
}

export const noticeMid = mid(1);
export const groupMuted: GroupEvent = { type: 'GroupMuted', data: { gid: gid(50), by: uid(4), noticeMid } };

export const muted: GroupEvent = {
  type: 'MemberMuted',
  data: { gid: gid(50), by: uid(4), uid: me, until: now + 60, noticeMid },
};

export const left: GroupEvent = { type: 'MemberLeft', data: { gid: gid(50), uid: me, faces: null } };

export const dissolved: GroupEvent = {
  type: 'GroupDissolved',
  data: { gid: gid(50), by: uid(4), released: false },
};

export const manager: GroupEvent = { type: 'ManagerAppointed', data: { gid: gid(50), uid: uid(3) } };
export const inThe = (...events: GroupEvent[]): Addressee => ({ type: 'group', group: groupOf(...events) });
export const settings = (changes: Partial<Settings> = {}): Settings => ({ ...defaultSettings, ...changes });

/** The code of a refusal; undefined if nothing was refused. */
export function refusal(attempt: () => unknown): string | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error.reason;
    throw error;
  }
}
