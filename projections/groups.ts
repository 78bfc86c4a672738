import type { GroupEvent } from '../contracts/events/group.ts';
import { type Gid, groupConversation, type Uid } from '../contracts/ids.ts';
import {
  admit,
  changeMember,
  existingGroup,
  pushAdded,
  pushAvatar,
  pushUpdate,
  release,
} from './group-rows.ts';
import { groupMessagePushReads, groupMessageReads, sendToGroup } from './messages.ts';
import { emptyConversation } from './newest-message.ts';
import { groupName, namedReads, noticeText, type WithNotice } from './notice-texts.ts';
import { addNotice, noticeOf, noticeReads } from './notices.ts';
import { type ProjectionsOf, timestampOf } from './projection.ts';
import { conversations, type GroupRow, groupMembers, groupMutes, groups, membersOf } from './tables.ts';

type OfGroup = { readonly data: { readonly gid: Gid } };
type By = { readonly data: { readonly by: Uid } };

const ofGroup = ({ data: { gid } }: OfGroup) => [groups.at(gid)];
const forNotice = (event: WithNotice & By) => noticeReads(event, event.data.by);

/** Groups as a whole: from the creation to the end. */
export const groupProjections: Pick<
  ProjectionsOf<GroupEvent>,
  | 'GroupCreated'
  | 'GroupUpdated'
  | 'GroupMuted'
  | 'GroupUnmuted'
  | 'GroupRemarked'
  | 'GroupTransferred'
  | 'GroupDissolved'
  | 'CodesRevoked'
> = {
  GroupCreated: {
    reads: (event) => {
      const { owner, gid } = event.data;
      return [...groupMessageReads(owner, gid), ...groupMessagePushReads(owner, gid), ...namedReads(event)];
    },
    apply(event, rows, pushes) {
      const { gid, owner, members, avatar, noticeMid } = event.data;
      if (rows.get(groups.at(gid))) return;
      const conversation = groupConversation(gid);
      rows.put(conversations, emptyConversation(conversation, event.position));
      const empty: GroupRow = {
        gid,
        owner,
        name: groupName(event, rows),
        avatar,
        faces: [],
        state: 'normal',
        muted: false,
        created: timestampOf(event),
        next_index: 1,
        member_count: 0,
      };
      const group = admit(rows, empty, members, event.position, () => 0);
      if (noticeMid === null) {
        pushAdded(pushes, group, members, owner);
        return;
      }
      const content = noticeText(event, rows);
      pushAdded(pushes, group, members, owner, content);
      sendToGroup(rows, pushes, owner, gid, noticeOf(event, noticeMid, content), members.slice(1));
    },
  },
  GroupUpdated: {
    reads: ofGroup,
    apply({ data: { gid, name, avatar } }, rows, pushes) {
      const before = existingGroup(rows, gid);
      const after = { ...before, name: name ?? before.name, avatar: avatar ?? before.avatar };
      rows.put(groups, after);
      pushAvatar(pushes, before, after);
      if (after.name !== before.name) pushUpdate(rows, pushes, gid);
    },
  },
  GroupMuted: {
    reads: forNotice,
    apply(event, rows, pushes) {
      const { gid, by } = event.data;
      rows.put(groups, { ...existingGroup(rows, gid), muted: true });
      addNotice(rows, pushes, event, by);
      pushUpdate(rows, pushes, gid);
    },
  },
  GroupUnmuted: {
    reads: forNotice,
    apply(event, rows, pushes) {
      const { gid, by } = event.data;
      rows.put(groups, { ...existingGroup(rows, gid), muted: false });
      addNotice(rows, pushes, event, by);
      pushUpdate(rows, pushes, gid);
    },
  },
  GroupRemarked: {
    reads: ({ data: { gid, uid } }) => [groupMembers.at(gid, uid)],
    apply({ data: { gid, uid, remark } }, rows) {
      changeMember(rows, gid, uid, { remark });
    },
  },
  GroupTransferred: {
    reads: ({ data: { gid, from, to } }) => [
      groups.at(gid),
      groupMembers.at(gid, from),
      groupMembers.at(gid, to),
    ],
    apply({ data: { gid, from, to } }, rows, pushes) {
      rows.put(groups, { ...existingGroup(rows, gid), owner: to });
      changeMember(rows, gid, from, { role: 'member' });
      rows.delete(groupMutes.at(gid, to));
      changeMember(rows, gid, to, { role: 'owner', muted_until: 0 });
      pushUpdate(rows, pushes, gid);
    },
  },
  GroupDissolved: {
    reads: ({ data: { gid, released } }) => [groups.at(gid), ...(released ? [] : [membersOf(gid)])],
    apply({ data: { gid, released } }, rows, pushes) {
      const group = existingGroup(rows, gid);
      if (group.state === 'dissolved') return;
      rows.put(groups, { ...group, state: 'dissolved' });
      if (released) return;
      const members = rows.list(membersOf(gid)).sort((one, other) => one.index - other.index);
      for (const { uid } of members) release(rows, pushes, gid, uid);
    },
  },
  /** Only decisions need it: tokens are checked by the folded state. */
  CodesRevoked: { reads: () => [], apply: () => undefined },
};
