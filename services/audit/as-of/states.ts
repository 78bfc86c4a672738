import type { Gid, Uid } from '../../../contracts/ids.ts';
import type { Settings } from '../../../contracts/settings.ts';
import { groupStream, roleOf } from '../../domain/group.ts';
import { settingStream } from '../../domain/setting.ts';
import { userStream } from '../../domain/user.ts';
import { foldAt } from '../folded-stream.ts';
import type { Moment } from '../moment.ts';
import { NotFound } from '../not-found.ts';
import type { ReadableLog } from '../readable-log.ts';

/** A group at a moment, as it is decided about. */
export interface GroupThen {
  readonly gid: Gid;
  readonly state: 'normal' | 'dissolved';
  /** Null if nobody has named it: it is called by the nicknames that its first members had when it was created. */
  readonly name: string | null;
  readonly avatar: string | null;
  readonly owner: Uid;
  readonly founder: Uid;
  readonly muted: boolean;
  /** In the order of joining. */
  readonly members: readonly {
    readonly uid: Uid;
    readonly role: 'owner' | 'manager' | 'member';
    /** In whole seconds since 1970; 0: they may speak. */
    readonly muted_until: number;
    readonly remark: string;
  }[];
  /** Who was invited and has not answered. */
  readonly invited: readonly { readonly uid: Uid; readonly by: Uid }[];
}

/** A person at a moment, as it is decided about them. */
export interface PersonThen {
  readonly uid: Uid;
  readonly nickname: string;
  readonly avatar: string;
  readonly sign: string;
  readonly phone: string | null;
  readonly account_state: 'normal' | 'disabled' | 'deleted';
  readonly is_member: 0 | 1;
  readonly parent: Uid | null;
}

/** A group at a moment. @throws NotFound; LogFailure */
export async function groupThen(log: ReadableLog, gid: Gid, moment: Moment): Promise<GroupThen> {
  const group = await foldAt(log, groupStream(gid), moment);
  if (!group) throw new NotFound(`group ${gid}`, moment);
  const now = Math.floor(moment.time / 1000);
  const mutedUntil = (uid: Uid) => {
    const until = group.mutes.get(uid) ?? 0;
    return until > now ? until : 0;
  };
  return {
    gid,
    state: group.dissolved ? 'dissolved' : 'normal',
    name: group.name,
    avatar: group.avatar,
    owner: group.owner,
    founder: group.founder,
    muted: group.muted,
    members: [...group.members].flatMap(([uid, { remark }]) => {
      const role = roleOf(group, uid);
      return role === 'none' ? [] : [{ uid, role, muted_until: mutedUntil(uid), remark }];
    }),
    invited: [...group.invitations].map(([uid, { by }]) => ({ uid, by })),
  };
}

/** A person at a moment. @throws NotFound; LogFailure */
export async function personThen(log: ReadableLog, uid: Uid, moment: Moment): Promise<PersonThen> {
  const user = await foldAt(log, userStream(uid), moment);
  if (!user) throw new NotFound(`person ${uid}`, moment);
  const { nickname, avatar, sign, phone, disabled, deletion, isMember, parent } = user;
  const current = disabled ? 'disabled' : 'normal';
  return {
    ...{ uid, nickname, avatar, sign, phone },
    account_state: deletion === null ? current : 'deleted',
    is_member: isMember ? 1 : 0,
    parent,
  };
}

/** All settings at a moment. @throws LogFailure */
export function settingsThen(log: ReadableLog, moment: Moment): Promise<Settings> {
  return foldAt(log, settingStream, moment);
}
