import type { GroupEvent } from '../../contracts/events/group.ts';
import type { Uid } from '../../contracts/ids.ts';
import { gid, mid, uid } from './events.ts';

/* A group of four, and events of it, for tests of decisions about groups. */

export const now = 1_700_000_000;
export const [owner, manager, member, other, stranger] = [uid(1), uid(2), uid(3), uid(4), uid(9)];
export const created = {
  type: 'GroupCreated',
  data: {
    gid: gid(50),
    owner,
    members: [owner, manager, member, other],
    name: '群',
    avatar: null,
    noticeMid: null,
  },
} as const satisfies GroupEvent;
export const appointed: GroupEvent = { type: 'ManagerAppointed', data: { gid: gid(50), uid: manager } };
export const released = (...members: Uid[]): GroupEvent => ({
  type: 'MembersReleased',
  data: { gid: gid(50), members },
});
export const dissolved: GroupEvent = {
  type: 'GroupDissolved',
  data: { gid: gid(50), by: owner, released: true },
};
export const noticeMid = mid(7);
export const muted = (who: Uid, by: Uid, until: number): GroupEvent => ({
  type: 'MemberMuted',
  data: {
    gid: gid(50),
    by,
    uid: who,
    until,
    noticeMid,
  },
});
export const mute = (by: Uid, who: Uid, time: number) => ({ by, uid: who, time, now, mid: noticeMid });
