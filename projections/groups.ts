import type { GroupEvent } from '../contracts/events/group.ts';
import { type Gid, groupConversation, type Uid } from '../contracts/ids.ts';
import { creationText, namesInNotice } from '../services/domain/group-commands.ts';
import {
  admit,
  changeMember,
  existingGroup,
  pushAdded,
  pushAvatar,
  pushUpdate,
  release,
} from './group-rows.ts';
import { groupMessageReads, sendToGroup } from './messages.ts';
import { emptyConversation } from './newest-message.ts';
import { addNotice, noticeOf, noticeReads } from './notices.ts';
import { type ProjectionsOf, timestampOf } from './projection.ts';
import {
  conversations,
  type GroupRow,
  groupMembers,
  groupMutes,
  groups,
  membersOf,
  users,
} from './tables.ts';

type OfGroup = { readonly data: { readonly gid: Gid } };
type By = { readonly data: { readonly gid: Gid; readonly by: Uid } };

const ofGroup = ({ data: { gid } }: OfGroup) => [groups.at(gid)];
const forNotice = ({ data: { gid, by } }: By) => noticeReads(by, gid);

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
    reads: ({ data: { gid, owner, members } }) => [
      ...groupMessageReads(owner, gid),
      ...members.slice(0, namesInNotice + 1).map((uid) => users.at(uid)),
    ],
    apply(event, rows, pushes) {
      const { gid, owner, members, name, avatar, noticeMid } = event.data;
      if (rows.get(groups.at(gid))) return;
      const conversation = groupConversation(gid);
      rows.put(conversations, emptyConversation(conversation, event.position));
      const empty: GroupRow = {
        gid,
        owner,
        name,
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
      // The names are those of this moment: a later nickname changes no notice.
      const named = members.slice(0, namesInNotice + 1).flatMap((uid): [Uid, string][] => {
        const user = rows.get(users.at(uid));
        return user ? [[uid, user.nickname]] : [];
      });
      const [, ...invited] = members;
      const content = creationText(new Map(named), owner, invited);
      pushAdded(pushes, group, members, owner, content);
      sendToGroup(rows, pushes, owner, gid, noticeOf(event, { mid: noticeMid, content }), invited);
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
