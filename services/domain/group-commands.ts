import { Refusal } from '../../contracts/codes.ts';
import type { GroupEvent } from '../../contracts/events/group.ts';
import type { Gid, Mid, Uid } from '../../contracts/ids.ts';
import { type GroupState, mayManage, mustBeIn, mustOwn } from './group.ts';
import { type Invitations, inviting } from './group-invitations.ts';
import { mustFit } from './group-members.ts';

/** Creates a group: the owner first, then the members in the given order without duplicates. */
export function createGroup(
  state: GroupState,
  command: {
    gid: Gid;
    owner: Uid;
    members: readonly Uid[];
    mid: Mid;
    name?: string | undefined;
    avatar?: string | undefined;
    /** Those who are invited instead of being members. */
    invitations?: Invitations;
  },
): GroupEvent[] {
  if (state) return [];
  const { gid, owner, mid, name, avatar, invitations = [] } = command;
  const members = [...new Set([owner, ...command.members])];
  mustFit(members.length);
  const noticeMid = members.length > 1 ? mid : null;
  return [
    {
      type: 'GroupCreated',
      data: { gid, owner, members, name: name || null, avatar: avatar || null, noticeMid },
    },
    ...inviting(gid, owner, invitations),
  ];
}

/** The owner makes a member a manager, or no longer one. */
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

/** Changes what a member calls the group; empty: its own name. */
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

/** The owner hands the group over to a member, and becomes an ordinary one. */
export function transferGroup(state: GroupState, { by, to }: { by: Uid; to: Uid }): GroupEvent[] {
  const group = mustBeIn(state, by);
  mustOwn(group, by);
  if (to === by) return [];
  if (!group.members.has(to)) throw new Refusal('illegal', '该用户不是群成员');
  return [{ type: 'GroupTransferred', data: { gid: group.gid, from: by, to } }];
}

/** The owner or a manager makes all earlier tokens of the group's QR code invalid. */
export function revokeCodes(state: GroupState, { by }: { by: Uid }): GroupEvent[] {
  const group = mustBeIn(state, by);
  if (!mayManage(group, by)) throw new Refusal('illegal', '没有权限重置群二维码');
  return [{ type: 'CodesRevoked', data: { gid: group.gid, by } }];
}

/** Members of one event of a dissolution: each is some rows of the read models and a push. */
const maxReleasedAtOnce = 1_000;

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
