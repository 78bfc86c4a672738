import { groupAvatar, maxFaces } from '../contracts/avatars.ts';
import { type Gid, groupConversation, type Uid } from '../contracts/ids.ts';
import { groupChannel, userChannel } from '../contracts/push/index.ts';
import { endOf, joinChat } from './inbox.ts';
import type { Pushes } from './projection.ts';
import type { Rows } from './store/row-store.ts';
import { type GroupMemberRow, type GroupRow, groupMembers, groups, inbox } from './tables.ts';

/* What the events of groups and of their members do alike to the rows, and push. */

/** Reads the group. @throws TypeError if it was never created */
export function existingGroup(rows: Rows, gid: Gid): GroupRow {
  const group = rows.get(groups.at(gid));
  if (!group) throw new TypeError(`group ${gid} was never created`);
  return group;
}

/** Changes a member's row; does nothing if `uid` is no member. Reads the row. */
export function changeMember(rows: Rows, gid: Gid, uid: Uid, changes: Partial<GroupMemberRow>): void {
  const member = rows.get(groupMembers.at(gid, uid));
  if (member) rows.put(groupMembers, { ...member, ...changes });
}

/** Adds members who are not in the group yet, in this order, and returns the group after it. */
export function admit(
  rows: Rows,
  group: GroupRow,
  uids: readonly Uid[],
  place: string,
  mutedUntil: (uid: Uid) => number,
): GroupRow {
  const { gid } = group;
  const conversation = groupConversation(gid);
  const end = endOf(rows, conversation);
  uids.forEach((uid, offset) => {
    rows.put(groupMembers, {
      gid,
      uid,
      index: group.next_index + offset,
      role: uid === group.owner ? 'owner' : 'member',
      muted_until: mutedUntil(uid),
      remark: '',
      joined_sequence: end.sequence,
      joined_place: place,
    });
    joinChat(rows, uid, conversation, end);
  });
  const admitted: GroupRow = {
    ...group,
    faces: [...group.faces, ...uids].slice(0, maxFaces),
    next_index: group.next_index + uids.length,
    member_count: group.member_count + uids.length,
  };
  rows.put(groups, admitted);
  return admitted;
}

/** Removes someone from a group, and its chat from their list. Returns false if they are no member. */
export function release(rows: Rows, pushes: Pushes, gid: Gid, uid: Uid): boolean {
  if (!rows.get(groupMembers.at(gid, uid))) return false;
  rows.delete(groupMembers.at(gid, uid));
  rows.delete(inbox.at(uid, groupConversation(gid)));
  pushes.add(userChannel(uid), 'removeGroup', { gid });
  return true;
}

/** Pushes `addGroup` to new members. */
export function pushAdded(
  pushes: Pushes,
  group: GroupRow,
  uids: readonly Uid[],
  by: Uid,
  content?: string,
): void {
  if (!pushes.wanted) return;
  const { gid, name } = group;
  const avatar = groupAvatar(group.avatar, group.faces);
  const data = { gid, groupname: name, avatar, uid: by, ...(content === undefined ? {} : { content }) };
  for (const uid of uids) pushes.add(userChannel(uid), 'addGroup', data);
}

/** Pushes the group's picture if it changed. */
export function pushAvatar(pushes: Pushes, before: GroupRow, after: GroupRow): void {
  if (!pushes.wanted) return;
  const avatar = groupAvatar(after.avatar, after.faces);
  if (avatar === groupAvatar(before.avatar, before.faces)) return;
  pushes.add(groupChannel(after.gid), 'updateGroup', { gid: after.gid, avatar });
}

/** Pushes that the group's name, owner, managers or mutes changed. Reads the group. */
export function pushUpdate(rows: Rows, pushes: Pushes, gid: Gid): void {
  pushes.add(groupChannel(gid), 'update', { gid, name: existingGroup(rows, gid).name });
}
