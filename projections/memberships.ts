import type { GroupEvent } from '../contracts/events/group.ts';
import type { Gid, Uid } from '../contracts/ids.ts';
import { leaveNotice, noticeReads, pushUpdate, standing } from './groups.ts';
import type { ProjectionsOf } from './projection.ts';
import type { Rows } from './store/row-store.ts';
import { type GroupMemberRow, groupMembers, groupMutes, groups } from './tables.ts';

type OfMember = { readonly data: { readonly gid: Gid; readonly uid: Uid } };
type By = { readonly data: { readonly gid: Gid; readonly by: Uid } };

const ofMember = ({ data: { gid, uid } }: OfMember) => [groupMembers.at(gid, uid)];
const ofMemberAndGroup = (event: OfMember) => [...ofMember(event), groups.at(event.data.gid)];
const byMember = ({ data: { gid, by } }: By) => noticeReads(by, gid);

function change(rows: Rows, gid: Gid, uid: Uid, changes: Partial<GroupMemberRow>): void {
  const member = rows.get(groupMembers.at(gid, uid));
  if (member) rows.put(groupMembers, { ...member, ...changes });
}

/** What members of a group may do, and what each calls it. */
export const membershipProjections: Pick<
  ProjectionsOf<GroupEvent>,
  | 'ManagerAppointed'
  | 'ManagerDismissed'
  | 'MemberMuted'
  | 'MemberUnmuted'
  | 'GroupMuted'
  | 'GroupUnmuted'
  | 'GroupRemarked'
  | 'GroupTransferred'
  | 'CodesRevoked'
> = {
  ManagerAppointed: {
    reads: ofMemberAndGroup,
    apply({ data: { gid, uid } }, rows, pushes) {
      change(rows, gid, uid, { role: 'manager' });
      pushUpdate(rows, pushes, gid);
    },
  },
  ManagerDismissed: {
    reads: ofMemberAndGroup,
    apply({ data: { gid, uid } }, rows, pushes) {
      change(rows, gid, uid, { role: 'member' });
      pushUpdate(rows, pushes, gid);
    },
  },
  MemberMuted: {
    reads: (event) => [...ofMember(event), ...byMember(event)],
    apply(event, rows, pushes) {
      const { gid, uid, by, until } = event.data;
      rows.put(groupMutes, { gid, uid, until });
      change(rows, gid, uid, { muted_until: until });
      leaveNotice(rows, pushes, event, by);
      pushUpdate(rows, pushes, gid);
    },
  },
  MemberUnmuted: {
    reads: (event) => [...ofMember(event), ...byMember(event)],
    apply(event, rows, pushes) {
      const { gid, uid, by } = event.data;
      rows.delete(groupMutes.at(gid, uid));
      change(rows, gid, uid, { muted_until: 0 });
      leaveNotice(rows, pushes, event, by);
      pushUpdate(rows, pushes, gid);
    },
  },
  GroupMuted: {
    reads: byMember,
    apply(event, rows, pushes) {
      const { gid, by } = event.data;
      rows.put(groups, { ...standing(rows, gid), muted: true });
      leaveNotice(rows, pushes, event, by);
      pushUpdate(rows, pushes, gid);
    },
  },
  GroupUnmuted: {
    reads: byMember,
    apply(event, rows, pushes) {
      const { gid, by } = event.data;
      rows.put(groups, { ...standing(rows, gid), muted: false });
      leaveNotice(rows, pushes, event, by);
      pushUpdate(rows, pushes, gid);
    },
  },
  GroupRemarked: {
    reads: ofMember,
    apply({ data: { gid, uid, remark } }, rows) {
      change(rows, gid, uid, { remark });
    },
  },
  /** Deciding alone needs it: tokens are checked by the folded state. */
  CodesRevoked: { reads: () => [], apply: () => undefined },
  GroupTransferred: {
    reads: ({ data: { gid, from, to } }) => [
      groups.at(gid),
      groupMembers.at(gid, from),
      groupMembers.at(gid, to),
    ],
    apply({ data: { gid, from, to } }, rows, pushes) {
      rows.put(groups, { ...standing(rows, gid), owner: to });
      change(rows, gid, from, { role: 'member' });
      rows.delete(groupMutes.at(gid, to));
      change(rows, gid, to, { role: 'owner', muted_until: 0 });
      pushUpdate(rows, pushes, gid);
    },
  },
};
