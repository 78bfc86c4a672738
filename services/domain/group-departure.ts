import type { GroupEvent } from '../../contracts/events/group.ts';
import type { Uid } from '../../contracts/ids.ts';
import type { GroupState, LivingGroup } from './group.ts';
import { dissolveGroup } from './group-commands.ts';
import { answering } from './group-invitations.ts';
import { leaveGroup } from './group-members.ts';

/**
 * Somebody who is gone for good leaves a group. Their group goes to the member who is a manager for longest in the group,
 * else to the one who is in it for longest; if nobody else is in it, it is dissolved. An invitation that they had counts
 * as refused. Who has nothing to do with the group leaves nothing.
 */
export function departForGood(group: GroupState, { uid }: { uid: Uid }): GroupEvent[] {
  if (!group) return [];
  const answered = answering(group, [uid], 'refuse');
  if (group.dissolved || group.owner !== uid) return [...answered, ...leaveGroup(group, { uid })];
  const to = successorOf(group);
  if (to === undefined) return [...answered, ...dissolveGroup(group, { by: uid })];
  const { gid } = group;
  return [
    ...answered,
    { type: 'GroupTransferred', data: { gid, from: uid, to } },
    ...leaveGroup({ ...group, owner: to }, { uid }),
  ];
}

/** Who owns a group after its owner: members are in the order of joining. */
function successorOf({ owner, members }: LivingGroup): Uid | undefined {
  const others = [...members].filter(([uid]) => uid !== owner);
  const [eldest] = others.find(([, { manager }]) => manager) ?? others[0] ?? [];
  return eldest;
}
