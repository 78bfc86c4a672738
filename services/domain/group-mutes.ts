import { Refusal } from '../../contracts/codes.ts';
import type { GroupEvent } from '../../contracts/events/group.ts';
import type { Mid, Uid } from '../../contracts/ids.ts';
import { type GroupState, isMuted, mayManage, mustBeIn, roleOf } from './group.ts';

/** A smaller time is a duration in seconds, as old clients send it (docs/behaviour.md, Groups). */
const minTimestamp = 1_000_000_000;

/**
 * Mutes a member until `time`, or unmutes them if `time` is 0 or past; the latter also if they have left, since the
 * mute would hold when they return. The owner mutes anyone else, managers mute ordinary members.
 * @param command `time` and `now` in whole seconds since 1970
 */
export function muteMember(
  state: GroupState,
  command: { by: Uid; uid: Uid; time: number; now: number; mid: Mid },
): GroupEvent[] {
  const { by, uid, time, now, mid } = command;
  const group = mustBeIn(state, by);
  const outranks =
    roleOf(group, by) === 'owner'
      ? uid !== by
      : roleOf(group, by) === 'manager' && ['member', 'none'].includes(roleOf(group, uid));
  if (!outranks) throw new Refusal('illegal', '没有权限禁言该成员');
  const until = time > 0 && time < minTimestamp ? now + time : time;
  const { gid } = group;
  if (until <= now) {
    if (!isMuted(group, uid, now)) return [];
    return [{ type: 'MemberUnmuted', data: { gid, by, uid, noticeMid: mid } }];
  }
  if (!group.members.has(uid)) throw new Refusal('illegal', '该用户不是群成员');
  if (group.mutes.get(uid) === until) return [];
  return [{ type: 'MemberMuted', data: { gid, by, uid, until, noticeMid: mid } }];
}

/** The owner or a manager mutes all ordinary members, or unmutes them. */
export function muteGroup(
  state: GroupState,
  { by, muted, mid }: { by: Uid; muted: boolean; mid: Mid },
): GroupEvent[] {
  const group = mustBeIn(state, by);
  if (!mayManage(group, by)) throw new Refusal('illegal', '没有权限设置全体禁言');
  if (group.muted === muted) return [];
  const { gid } = group;
  return [{ type: muted ? 'GroupMuted' : 'GroupUnmuted', data: { gid, by, noticeMid: mid } }];
}
