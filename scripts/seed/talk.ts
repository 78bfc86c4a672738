import type { ConversationEvent } from '../../contracts/events/conversation.ts';
import type { Uid } from '../../contracts/ids.ts';
import { type CommandContext, seconds } from '../../services/commands/context.ts';
import {
  type Addressee,
  conversationStream,
  deleteMessage,
  mustMaySend,
  revokeMessage,
  sendMessage,
} from '../../services/domain/conversation.ts';
import { friendshipStream } from '../../services/domain/friendship.ts';
import { groupStream } from '../../services/domain/group.ts';
import { automaticAnswers, replyStream } from '../../services/domain/reply.ts';
import { userStream } from '../../services/domain/user.ts';
import { type ChatState, chatOf } from './chats.ts';
import { readSome } from './inbox-acts.ts';
import { type Story, unlessRefused } from './story.ts';
import { sentence } from './texts.ts';

/** The people of a chat say some things to each other, and some of them read it. */
export function talk(story: Story): void {
  const { random } = story;
  const chat = random.chance(0.02) ? someStrangers(story) : story.anyChat();
  let from = chat && random.pickAny(chat.people);
  if (!chat || from === undefined) return;
  const length = random.integer(1, 12);
  for (let said = 0; said < length && story.decided.left > 0; said++) {
    say(story, chat, from, said === 0 ? story.request(from) : story.nextRequest(from));
    if (random.chance(0.03)) takeBack(story, chat, from);
    if (random.chance(0.7)) from = random.pickAny(chat.people) ?? from;
  }
  readSome(story, chat);
}

/** Two who have never talked; undefined if chance finds none. */
function someStrangers(story: Story): ChatState | undefined {
  const [one, other] = [story.anyone(), story.random.pickAny(story.people)];
  return one === undefined || other === undefined || one === other
    ? undefined
    : story.chats.between(one, other);
}

function say(story: Story, chat: ChatState, from: Uid, context: CommandContext): void {
  const { random, settings } = story;
  const addressee = addresseeOf(story, chat, from);
  const sender = story.users.get(userStream(from));
  const events = unlessRefused<ConversationEvent>(() => {
    mustMaySend(sender, addressee, settings, seconds(context));
    const draft = { conversation: chat.conversation, mid: story.nextMid(), from };
    const content = contentOf(story, chat, from);
    const quoted = random.chance(0.05) ? random.pickAny(chat.recent) : undefined;
    const readable =
      quoted?.state === 'normal' && quoted.sequence > (chat.joined.get(from) ?? 0) ? quoted.mid : undefined;
    const answers = answersTo(story, chat, from, addressee, content);
    return [sendMessage({ ...draft, content, quoteMid: readable }, addressee, settings), ...answers];
  });
  story.append(conversationStream(chat.conversation), events, context, 'first');
}

function contentOf({ random, nicknames }: Story, chat: ChatState, from: Uid): string {
  const content = sentence(random);
  if (chat.gid === undefined || !random.chance(0.05)) return content;
  if (random.chance(0.2)) return `@all ${content}`;
  const named = random.pickAny(chat.people) ?? from;
  return `@[${nicknames.get(named)}](${named}) ${content}`;
}

function addresseeOf(story: Story, chat: ChatState, from: Uid): Addressee {
  const to = chatOf(chat, from);
  if (to.type === 'group') return { type: 'group', group: story.groups.get(groupStream(to.id)) };
  const friendship = story.friendships.get(friendshipStream(from, to.id));
  return { type: 'friend', uid: to.id, user: story.users.get(userStream(to.id)), friendship };
}

/** What a member's (会员) customer service answers by itself. */
function answersTo(
  story: Story,
  { conversation, spoke }: ChatState,
  from: Uid,
  addressee: Addressee,
  content: string,
): ConversationEvent[] {
  if (addressee.type === 'group' || !addressee.user?.isMember || addressee.user.disabled) return [];
  const { uid } = addressee;
  const answers = automaticAnswers(story.replies.get(replyStream(uid)), content, !spoke.has(from));
  // The message itself is still to come.
  return answers.slice(0, story.decided.left - 1).map((answer) => {
    const draft = {
      conversation,
      mid: story.nextMid(),
      from: uid,
      content: answer,
      automatic: true,
    } as const;
    return sendMessage(draft, addressee, story.settings);
  });
}

/** Someone revokes or deletes one of the last messages. */
function takeBack(story: Story, chat: ChatState, by: Uid): void {
  const { random, settings } = story;
  const message = random.pickAny(chat.recent);
  if (!message || story.decided.left === 0 || message.sequence <= (chat.joined.get(by) ?? 0)) return;
  const context = story.nextRequest(by);
  const group = chat.gid === undefined ? undefined : story.groups.get(groupStream(chat.gid));
  const { conversation } = chat;
  const taking = { conversation, message, by, group, settings, now: seconds(context) };
  const scope = random.pick(['self', 'self', 'all'] as const);
  const events = unlessRefused(() =>
    random.chance(0.7) ? revokeMessage(taking) : deleteMessage({ ...taking, scope }),
  );
  story.append(conversationStream(conversation), events, context);
}
