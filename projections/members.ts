import { maxFaces } from '../contracts/avatars.ts';
import type { GroupEvent } from '../contracts/events/group.ts';
import type { Gid, Uid } from '../contracts/ids.ts';
import {
  admit,
  changeMember,
  existingGroup,
  pushAdded,
  pushAvatar,
  pushUpdate,
  release,
} from './group-rows.ts';
import { noticeText, type WithNotice } from './notice-texts.ts';
import { addNotice, noticeReads } from './notices.ts';
import type { ProjectionsOf, Pushes } from './projection.ts';
import type { Rows } from './store/row-store.ts';
import type { Ref } from './store/table.ts';
import { type GroupMemberRow, groupMembers, groupMutes, groups, membersOf } from './tables.ts';

const joiningReads = (event: WithNotice, by: Uid, uids: readonly Uid[]) => [
  ...noticeReads(event, by),
  ...uids.flatMap((uid) => [groupMembers.at(event.data.gid, uid), groupMutes.at(event.data.gid, uid)]),
];

function joining(rows: Rows, pushes: Pushes, event: WithNotice, by: Uid, uids: readonly Uid[]): void {
  const { gid } = event.data;
  const before = existingGroup(rows, gid);
  const joined = uids.filter((uid) => !rows.get(groupMembers.at(gid, uid)));
  const mutedUntil = (uid: Uid) => rows.get(groupMutes.at(gid, uid))?.until ?? 0;
  const after = admit(rows, before, joined, event.position, mutedUntil);
  pushAdded(pushes, after, joined, by, noticeText(event, rows));
  addNotice(rows, pushes, event, by, joined);
  pushAvatar(pushes, before, after);
}

type Leaving = { readonly gid: Gid; readonly uids: readonly Uid[]; readonly faces: readonly Uid[] | null };

/** What `leaving` reads: a few rows for each who leaves, whatever the size of the group. */
const leavingReads = ({ gid, uids, faces }: Leaving): Ref[] => [
  groups.at(gid),
  ...uids.map((uid) => groupMembers.at(gid, uid)),
  ...(faces ? [] : [membersOf(gid)]),
];

function leaving(rows: Rows, pushes: Pushes, { gid, uids, faces }: Leaving): void {
  const before = existingGroup(rows, gid);
  const left = uids.filter((uid) => release(rows, pushes, gid, uid));
  const after = {
    ...before,
    faces: faces ?? firstFaces(rows.list(membersOf(gid))),
    member_count: before.member_count - left.length,
  };
  rows.put(groups, after);
  pushAvatar(pushes, before, after);
}

const firstFaces = (members: readonly GroupMemberRow[]): Uid[] =>
  members
    .toSorted((one, other) => one.index - other.index)
    .slice(0, maxFaces)
    .map(({ uid }) => uid);

type OfMember = { readonly data: { readonly gid: Gid; readonly uid: Uid } };
type MuteOfMember = WithNotice & { readonly data: OfMember['data'] & { readonly by: Uid } };

const memberAndGroup = ({ data: { gid, uid } }: OfMember) => [groupMembers.at(gid, uid), groups.at(gid)];
const memberAndNotice = (event: MuteOfMember) => [
  groupMembers.at(event.data.gid, event.data.uid),
  ...noticeReads(event, event.data.by),
];

/** Who is in a group, and what each of them may do there. */
export const memberProjections: Pick<
  ProjectionsOf<GroupEvent>,
  | 'MembersAdded'
  | 'MemberJoined'
  | 'MembersRemoved'
  | 'MemberLeft'
  | 'MembersReleased'
  | 'ManagerAppointed'
  | 'ManagerDismissed'
  | 'MemberMuted'
  | 'MemberUnmuted'
> = {
  MembersAdded: {
    reads: (event) => joiningReads(event, event.data.by, event.data.members),
    apply(event, rows, pushes) {
      joining(rows, pushes, event, event.data.by, event.data.members);
    },
  },
  MemberJoined: {
    reads: (event) => joiningReads(event, event.data.uid, [event.data.uid]),
    apply(event, rows, pushes) {
      joining(rows, pushes, event, event.data.uid, [event.data.uid]);
    },
  },
  MembersRemoved: {
    reads: ({ data: { gid, members: uids, faces } }) => leavingReads({ gid, uids, faces }),
    apply({ data: { gid, members: uids, faces } }, rows, pushes) {
      leaving(rows, pushes, { gid, uids, faces });
    },
  },
  MemberLeft: {
    reads: ({ data: { gid, uid, faces } }) => leavingReads({ gid, uids: [uid], faces }),
    apply({ data: { gid, uid, faces } }, rows, pushes) {
      leaving(rows, pushes, { gid, uids: [uid], faces });
    },
  },
  MembersReleased: {
    reads: ({ data: { gid, members } }) => members.map((uid) => groupMembers.at(gid, uid)),
    apply({ data: { gid, members } }, rows, pushes) {
      for (const uid of members) release(rows, pushes, gid, uid);
    },
  },
  ManagerAppointed: {
    reads: memberAndGroup,
    apply({ data: { gid, uid } }, rows, pushes) {
      changeMember(rows, gid, uid, { role: 'manager' });
      pushUpdate(rows, pushes, gid);
    },
  },
  ManagerDismissed: {
    reads: memberAndGroup,
    apply({ data: { gid, uid } }, rows, pushes) {
      changeMember(rows, gid, uid, { role: 'member' });
      pushUpdate(rows, pushes, gid);
    },
  },
  MemberMuted: {
    reads: memberAndNotice,
    apply(event, rows, pushes) {
      const { gid, uid, by, until } = event.data;
      rows.put(groupMutes, { gid, uid, until });
      changeMember(rows, gid, uid, { muted_until: until });
      addNotice(rows, pushes, event, by);
      pushUpdate(rows, pushes, gid);
    },
  },
  MemberUnmuted: {
    reads: memberAndNotice,
    apply(event, rows, pushes) {
      const { gid, uid, by } = event.data;
      rows.delete(groupMutes.at(gid, uid));
      changeMember(rows, gid, uid, { muted_until: 0 });
      addNotice(rows, pushes, event, by);
      pushUpdate(rows, pushes, gid);
    },
  },
};
