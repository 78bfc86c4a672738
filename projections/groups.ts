import { groupAvatar, mostFaces } from '../contracts/avatars.ts';
import type { GroupEvent, Notice } from '../contracts/events/group.ts';
import { type Gid, groupConversation, type Uid } from '../contracts/ids.ts';
import { groupChannel, userChannel } from '../contracts/push/index.ts';
import { creationText, namesInNotice } from '../services/domain/group-commands.ts';
import type { Decoded } from '../services/log/codec.ts';
import { endOf, joinChat } from './inbox.ts';
import { type Arrival, emptyConversation, groupMessageReads, plain, sendToGroup } from './messages.ts';
import { type ProjectionsOf, type Pushes, timestampOf } from './projection.ts';
import type { Rows } from './store/row-store.ts';
import type { Ref } from './store/table.ts';
import {
  conversations,
  type GroupMemberRow,
  type GroupRow,
  groupMembers,
  groupMutes,
  groups,
  inbox,
  membersOf,
  users,
} from './tables.ts';

type OfGroup = { readonly data: { readonly gid: Gid } };
type WithNotice = Decoded<Extract<GroupEvent, { data: { notice: Notice } }>>;

const ofGroup = ({ data: { gid } }: OfGroup) => [groups.at(gid)];

/** The group as it stands. Throws where it was never created. */
export function standing(rows: Rows, gid: Gid): GroupRow {
  const group = rows.get(groups.at(gid));
  if (!group) throw new TypeError(`group ${gid} was never created`);
  return group;
}

/** Tells the group that its name, owner, managers or mutes changed. Reads the group. */
export function pushUpdate(rows: Rows, pushes: Pushes, gid: Gid): void {
  pushes.add(groupChannel(gid), 'update', { gid, name: standing(rows, gid).name });
}

/** What `leaveNotice` reads. */
export function noticeReads(by: Uid, gid: Gid) {
  return groupMessageReads(by, gid);
}

/** What a notice takes its place in the conversation with. */
const noticeOf = (event: Decoded, { mid, content }: Notice): Arrival => ({
  place: event.position,
  mid,
  event_id: event.id,
  content,
  timestamp: timestampOf(event),
  sub_type: 'notice',
  ...plain,
});

/** Leaves an event's notice in the group, from the one who acted; newcomers hear it on their own channel too. */
export function leaveNotice(
  rows: Rows,
  pushes: Pushes,
  event: WithNotice,
  by: Uid,
  newcomers: readonly Uid[] = [],
): void {
  const { gid, notice } = event.data;
  sendToGroup(rows, pushes, by, gid, noticeOf(event, notice), newcomers);
}

/** Adds members who are not in yet, in this order; answers the group as it stands then. */
function admit(
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
    faces: [...group.faces, ...uids].slice(0, mostFaces),
    next_index: group.next_index + uids.length,
    member_count: group.member_count + uids.length,
  };
  rows.put(groups, admitted);
  return admitted;
}

function pushAdded(pushes: Pushes, group: GroupRow, uids: readonly Uid[], by: Uid, content?: string): void {
  const { gid, name } = group;
  const avatar = groupAvatar(group.avatar, group.faces);
  const data = { gid, groupname: name, avatar, uid: by, ...(content === undefined ? {} : { content }) };
  for (const uid of uids) pushes.add(userChannel(uid), 'addGroup', data);
}

/** Tells the group of its picture, where it is another than before. */
function pushAvatar(pushes: Pushes, before: GroupRow, after: GroupRow): void {
  const avatar = groupAvatar(after.avatar, after.faces);
  if (avatar === groupAvatar(before.avatar, before.faces)) return;
  pushes.add(groupChannel(after.gid), 'updateGroup', { gid: after.gid, avatar });
}

const joiningReads = (gid: Gid, by: Uid, uids: readonly Uid[]) => [
  ...noticeReads(by, gid),
  ...uids.flatMap((uid) => [groupMembers.at(gid, uid), groupMutes.at(gid, uid)]),
];

function joining(rows: Rows, pushes: Pushes, event: WithNotice, by: Uid, uids: readonly Uid[]): void {
  const { gid, notice } = event.data;
  const before = standing(rows, gid);
  const joined = uids.filter((uid) => !rows.get(groupMembers.at(gid, uid)));
  const mutedUntil = (uid: Uid) => rows.get(groupMutes.at(gid, uid))?.until ?? 0;
  const after = admit(rows, before, joined, event.position, mutedUntil);
  pushAdded(pushes, after, joined, by, notice.content);
  leaveNotice(rows, pushes, event, by, joined);
  pushAvatar(pushes, before, after);
}

type Leaving = { readonly gid: Gid; readonly uids: readonly Uid[]; readonly faces: readonly Uid[] | null };

/** What `leaving` reads: a few rows for each who leaves, whatever the size of the group. */
const leavingReads = ({ gid, uids, faces }: Leaving): Ref[] => [
  groups.at(gid),
  ...uids.map((uid) => groupMembers.at(gid, uid)),
  ...(faces ? [] : [membersOf(gid)]),
];

/** Takes someone out of a group, whose chat leaves their list. False where they are not in it. */
function release(rows: Rows, pushes: Pushes, gid: Gid, uid: Uid): boolean {
  if (!rows.get(groupMembers.at(gid, uid))) return false;
  rows.delete(groupMembers.at(gid, uid));
  rows.delete(inbox.at(uid, groupConversation(gid)));
  pushes.add(userChannel(uid), 'removeGroup', { gid });
  return true;
}

function leaving(rows: Rows, pushes: Pushes, { gid, uids, faces }: Leaving): void {
  const before = standing(rows, gid);
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
    .slice(0, mostFaces)
    .map(({ uid }) => uid);

/** Groups, who is in them, and the notices that this leaves. */
export const groupProjections: Pick<
  ProjectionsOf<GroupEvent>,
  | 'GroupCreated'
  | 'MembersAdded'
  | 'MemberJoined'
  | 'MembersRemoved'
  | 'MemberLeft'
  | 'GroupUpdated'
  | 'MembersReleased'
  | 'GroupDissolved'
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
  MembersAdded: {
    reads: ({ data: { gid, by, members } }) => joiningReads(gid, by, members),
    apply(event, rows, pushes) {
      joining(rows, pushes, event, event.data.by, event.data.members);
    },
  },
  MemberJoined: {
    reads: ({ data: { gid, uid } }) => joiningReads(gid, uid, [uid]),
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
  GroupUpdated: {
    reads: ofGroup,
    apply({ data: { gid, name, avatar } }, rows, pushes) {
      const before = standing(rows, gid);
      const after = { ...before, name: name ?? before.name, avatar: avatar ?? before.avatar };
      rows.put(groups, after);
      pushAvatar(pushes, before, after);
      if (after.name !== before.name) pushUpdate(rows, pushes, gid);
    },
  },
  MembersReleased: {
    reads: ({ data: { gid, members } }) => members.map((uid) => groupMembers.at(gid, uid)),
    apply({ data: { gid, members } }, rows, pushes) {
      for (const uid of members) release(rows, pushes, gid, uid);
    },
  },
  GroupDissolved: {
    reads: ({ data: { gid, released } }) => [groups.at(gid), ...(released ? [] : [membersOf(gid)])],
    apply({ data: { gid, released } }, rows, pushes) {
      const group = standing(rows, gid);
      if (group.state === 'dissolved') return;
      rows.put(groups, { ...group, state: 'dissolved' });
      if (released) return;
      const members = rows.list(membersOf(gid)).sort((one, other) => one.index - other.index);
      for (const { uid } of members) release(rows, pushes, gid, uid);
    },
  },
};
