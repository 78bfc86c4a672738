import type { Uid } from '../../contracts/ids.ts';
import { friendConversation } from '../../contracts/ids.ts';
import {
  agree,
  apply,
  befriend,
  friendshipStream,
  refuse,
  remark,
  unfriend,
} from '../../services/domain/friendship.ts';
import type { Story } from './story.ts';
import { postscriptOf, remarkOf } from './texts.ts';

/** How many applications wait for an answer at most, of each person on average. */
const openForEach = 0.2;

/** Something happens between two people. */
export function changeFriendship(story: Story): void {
  const { random } = story;
  if (story.applications.length > story.people.length * openForEach || random.chance(0.4)) {
    answerSomeone(story);
    return;
  }
  const [by, other] = [story.anyone(), random.pickAny(story.people)];
  if (by === undefined || other === undefined || by === other) return;
  switch (random.weighted({ apply: 10, befriend: 1, remark: 2, unfriend: 0.3 })) {
    case 'apply':
      applyTo(story, by, other);
      return;
    case 'befriend':
      story.decide(story.friendships, friendshipStream(by, other), story.decided.request('server'), (state) =>
        befriend(state, { by, friend: other }),
      );
      return;
    case 'remark': {
      const pair = somePair(story);
      if (!pair) return;
      const command = { ...pair, remark: remarkOf(random) };
      story.decide(
        story.friendships,
        friendshipStream(pair.by, pair.friend),
        story.request(pair.by),
        (state) => remark(state, command),
      );
      return;
    }
    case 'unfriend': {
      const pair = somePair(story);
      if (!pair) return;
      story.decide(
        story.friendships,
        friendshipStream(pair.by, pair.friend),
        story.request(pair.by),
        (state) => unfriend(state, pair),
      );
    }
  }
}

function applyTo(story: Story, from: Uid, to: Uid): void {
  if (!story.isActive(from) || story.chats.get(friendConversation(from, to))) return;
  const context = story.request(from);
  if (!story.allows(from, 'friend applications', context)) return;
  const application = { applicationId: story.nextApplicationId(), mid: story.nextMid() };
  const command = { from, to, postscript: postscriptOf(story.random), ...application };
  const events = story.decide(story.friendships, friendshipStream(from, to), context, (state) =>
    apply(state, command),
  );
  const [event] = events;
  if (event?.type !== 'FriendApplied' || event.data.applicationId !== command.applicationId) return;
  story.applications.push({ id: command.applicationId, to, from });
}

/** Someone answers an application of another person. */
function answerSomeone(story: Story): void {
  const index = story.applications.findIndex(({ from }) => typeof from === 'number');
  const [open] = index < 0 ? [] : story.applications.splice(index, 1);
  if (open === undefined || typeof open.from !== 'number') return;
  const { id: applicationId, to: by, from } = open;
  if (!story.isActive(by)) return;
  const stream = friendshipStream(from, by);
  const agreed = story.random.chance(0.8);
  const mid = story.nextMid();
  story.decide(story.friendships, stream, story.request(by), (state) =>
    agreed ? agree(state, { by, applicationId, mid }) : refuse(state, { by, applicationId }),
  );
}

/** Two who talk with each other, most often friends. */
function somePair(story: Story): { by: Uid; friend: Uid } | undefined {
  const chat = story.anyPair();
  const [one, other] = chat?.people ?? [];
  if (one === undefined || other === undefined) return undefined;
  return story.random.chance(0.5) ? { by: one, friend: other } : { by: other, friend: one };
}
