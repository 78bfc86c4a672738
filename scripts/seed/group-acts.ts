import type { GroupEvent } from '../../contracts/events/group.ts';
import { Gid, groupConversation, type Uid } from '../../contracts/ids.ts';
import { seconds } from '../../services/commands/context.ts';
import { friendshipStream } from '../../services/domain/friendship.ts';
import {
  type GroupState,
  groupStream,
  isMuted,
  type LivingGroup,
  mayManage,
} from '../../services/domain/group.ts';
import {
  createGroup,
  dissolveGroup,
  remarkGroup,
  revokeCodes,
  setManager,
  transferGroup,
  updateGroup,
} from '../../services/domain/group-commands.ts';
import { refuseInvitation } from '../../services/domain/group-invitations.ts';
import {
  addMembers,
  agreeToInvitation,
  joinGroup,
  leaveGroup,
  removeMembers,
} from '../../services/domain/group-members.ts';
import { muteGroup, muteMember } from '../../services/domain/group-mutes.ts';
import type { Story } from './story.ts';
import { groupName, remarkOf } from './texts.ts';

/** How many groups there are, of each person on average, and how many members one has. */
const groupsForEach = 0.25;
const maxSize = 200;

const hour = 3_600;

/** What happens in a group, as often as the weights say; all of it by those who may. */
const weights = {
  ...{ create: 2, add: 2, join: 3, leave: 1, remove: 0.5, answer: 2 },
  ...{ manager: 0.7, mute: 1.5, unmute: 1, muteAll: 0.3, unmuteAll: 0.6 },
  ...{ remark: 1, update: 0.5, transfer: 0.1, codes: 0.1, dissolve: 0.03 },
};

/** Something happens in a group. */
export function changeGroup(story: Story): void {
  const { random } = story;
  const act = random.weighted(weights);
  if (act === 'create') {
    create(story);
    return;
  }
  if (act === 'answer') {
    answerInvitation(story);
    return;
  }
  const chat = story.anyGroup();
  const group = chat?.gid === undefined ? null : story.groups.get(groupStream(chat.gid));
  const uid = chat && random.pickAny(chat.people);
  if (!chat || !group || uid === undefined) return;
  const other = random.pickAny(chat.people) ?? uid;
  const boss = act in ofManagers && random.chance(0.5) ? (managerOf(group) ?? group.owner) : group.owner;
  switch (act) {
    case 'add':
      add(story, group, uid);
      return;
    case 'join': {
      const newcomer = random.chance(0.3) ? random.pickAny(chat.former) : story.anyone();
      if (newcomer === undefined || chat.people.length >= maxSize || !story.isActive(newcomer)) return;
      const context = story.request(newcomer);
      if (group.members.has(newcomer) || !story.allows(newcomer, 'joining tries', context)) return;
      const joining = { uid: newcomer, mid: story.nextMid() };
      story.decide(story.groups, groupStream(group.gid), context, (state) => joinGroup(state, joining));
      return;
    }
    case 'leave':
      by(story, group, uid, (state) => leaveGroup(state, { uid }));
      return;
    case 'remove':
      by(story, group, boss, (state) => removeMembers(state, { by: boss, members: [other] }));
      return;
    case 'manager':
      by(story, group, boss, (state) =>
        setManager(state, { by: boss, uid: other, manager: random.chance(0.7) }),
      );
      return;
    case 'mute':
      mute(story, group, boss, other, random.integer(1, 72) * hour);
      return;
    case 'unmute': {
      const muted = [...group.mutes.keys()].at(-1);
      if (muted !== undefined) mute(story, group, boss, muted, 0);
      return;
    }
    case 'muteAll':
    case 'unmuteAll': {
      const command = { by: boss, muted: act === 'muteAll', mid: story.nextMid() };
      by(story, group, boss, (state) => muteGroup(state, command));
      return;
    }
    case 'remark':
      by(story, group, uid, (state) => remarkGroup(state, { uid, remark: remarkOf(random) }));
      return;
    case 'update':
      by(story, group, boss, (state) => updateGroup(state, { by: boss, name: groupName(random) }));
      return;
    case 'transfer':
      by(story, group, group.owner, (state) => transferGroup(state, { by: group.owner, to: uid }));
      return;
    case 'codes':
      by(story, group, boss, (state) => revokeCodes(state, { by: boss }));
      return;
    case 'dissolve':
      by(story, group, group.owner, (state) => dissolveGroup(state, { by: group.owner }));
      return;
  }
}

/** What managers may do as well as the owner. */
const ofManagers = { mute: true, unmute: true, muteAll: true, unmuteAll: true, update: true, codes: true };

function managerOf(group: LivingGroup): Uid | undefined {
  return [
    ...group.members
      .keys()
      .filter((uid) => mayManage(group, uid))
      .take(2),
  ].at(-1);
}

function by(
  story: Story,
  { gid }: LivingGroup,
  uid: Uid,
  decide: (state: GroupState) => readonly GroupEvent[],
): void {
  story.decide(story.groups, groupStream(gid), story.request(uid), decide);
}

function create(story: Story): void {
  const { random } = story;
  const owner = story.anyone();
  const maxGroups = story.people.length * groupsForEach;
  if (owner === undefined || !story.isActive(owner) || story.chats.groups.length > maxGroups) return;
  const context = story.request(owner);
  const { members, invitations } = chosen(story, owner, random.integer(2, random.chance(0.1) ? 60 : 12));
  if (!story.allows(owner, 'groups created', context)) return;
  const gid = Gid.parse(story.freeNumber(100_000_000, 999_999_999));
  const name = random.chance(0.7) ? groupName(random) : undefined;
  const command = { gid, owner, members, mid: story.nextMid(), name, invitations };
  story.decide(story.groups, groupStream(gid), context, (state) => createGroup(state, command));
  remember(story, gid, invitations);
}

function add(story: Story, group: LivingGroup, inviter: Uid): void {
  if (group.members.size >= maxSize || !story.isActive(inviter)) return;
  const context = story.request(inviter);
  const found = chosen(story, inviter, story.random.integer(1, 4));
  const members = found.members.filter((uid) => !group.members.has(uid));
  const invitations = found.invitations.filter(
    ({ uid }) => !group.members.has(uid) && !group.invitations.has(uid),
  );
  const count = members.length + invitations.length;
  if (count === 0 || !story.allows(inviter, 'members added', context, count)) return;
  const command = { by: inviter, members, mid: story.nextMid(), invitations };
  const stream = groupStream(group.gid);
  story.decide(story.groups, stream, context, (state) => addMembers(state, command));
  remember(story, group.gid, invitations);
}

type Invitations = readonly {
  readonly uid: Uid;
  readonly applicationId: ReturnType<Story['nextApplicationId']>;
}[];

/** Some people whom one brings into a group; strangers are asked first if the settings say so. */
function chosen(story: Story, inviter: Uid, count: number): { members: Uid[]; invitations: Invitations } {
  const found = Array.from({ length: count }, () => story.anyone());
  const others = [...new Set(found)].filter(
    (uid) => uid !== undefined && uid !== inviter && story.isActive(uid),
  );
  const uids = others.filter((uid) => uid !== undefined);
  if (story.settings.group_consent === 'off') return { members: uids, invitations: [] };
  const friends = uids.filter((uid) => story.friendships.get(friendshipStream(inviter, uid)).friends);
  const strangers = uids.filter((uid) => !friends.includes(uid));
  const invitations = strangers.map((uid) => ({ uid, applicationId: story.nextApplicationId() }));
  return { members: friends, invitations };
}

function remember(story: Story, gid: Gid, invitations: Invitations): void {
  for (const { uid, applicationId } of invitations) {
    story.applications.push({ id: applicationId, to: uid, from: { gid } });
  }
}

/** Someone answers an invitation into a group. */
function answerInvitation(story: Story): void {
  const index = story.applications.findIndex(({ from }) => typeof from === 'object');
  const [open] = index < 0 ? [] : story.applications.splice(index, 1);
  if (open === undefined || typeof open.from !== 'object') return;
  const { id: applicationId, to: uid, from } = open;
  const { gid } = from;
  if (!story.isActive(uid) || !story.chats.get(groupConversation(gid))) return;
  const agreed = story.random.chance(0.7);
  const mid = story.nextMid();
  const answer = { uid, applicationId, mid };
  story.decide(story.groups, groupStream(gid), story.request(uid), (state) =>
    agreed ? agreeToInvitation(state, answer) : refuseInvitation(state, answer),
  );
}

function mute(story: Story, group: LivingGroup, boss: Uid, uid: Uid, time: number): void {
  const context = story.request(boss);
  const now = seconds(context);
  if (time === 0 && !isMuted(group, uid, now)) return;
  const command = { by: boss, uid, time, now, mid: story.nextMid() };
  story.decide(story.groups, groupStream(group.gid), context, (state) => muteMember(state, command));
}
