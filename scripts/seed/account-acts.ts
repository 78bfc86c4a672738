import type { ReplyType } from '../../contracts/events/reply.ts';
import { NumberId, type Uid } from '../../contracts/ids.ts';
import { befriendAtFirst, friendshipStream } from '../../services/domain/friendship.ts';
import { addReply, deleteReply, replyStream, updateReply } from '../../services/domain/reply.ts';
import { type AccountChanges, changeAccount, register, userStream } from '../../services/domain/user.ts';
import type { Story } from './story.ts';
import { nickname, signOf } from './texts.ts';

/** A person registers; some are opened an account by a member (会员). */
export function registerSomeone(story: Story): void {
  const { random } = story;
  const parent = random.chance(0.05) ? (random.pickAny(story.members) ?? null) : null;
  const uid = story.nextUid();
  const name = nickname(random);
  const phone = parent === null && random.chance(0.8) ? `1${String(3_000_000_000 + uid)}` : null;
  const profile = { username: `seed${uid}`, nickname: name, avatar: '', sign: '', phone, parent };
  const numberId = NumberId.parse(story.freeNumber(1_000_000, 999_999_999));
  const context = parent === null ? story.request(uid) : story.request(parent);
  story.decide(story.users, userStream(uid), context, (state) =>
    register(state, { uid, numberId, ...profile }),
  );
  story.people.push(uid);
  story.nicknames.set(uid, name);
  if (parent === null) return;
  story.decide(story.friendships, friendshipStream(parent, uid), context, (state) =>
    befriendAtFirst(state, { by: parent, friend: uid }),
  );
}

/** A person changes their profile: always possible, and one event. */
export function changeSign(story: Story): void {
  const uid = story.anyone();
  if (uid === undefined) {
    registerSomeone(story);
    return;
  }
  change(story, uid, { sign: signOf(story.random, story.decided.left) });
}

/** Something happens to an account. */
export function changeSomeone(story: Story): void {
  const { random } = story;
  const uid = story.anyone();
  if (uid === undefined) return;
  switch (random.weighted({ nickname: 3, sign: 3, disable: 0.5, enable: 1, member: 0.5, reply: 2 })) {
    case 'nickname': {
      const context = story.request(uid);
      const name = nickname(random);
      if (name === story.nicknames.get(uid) || !story.allows(uid, 'profiles changed', context)) return;
      story.decide(story.users, userStream(uid), context, (state) =>
        changeAccount(state, { nickname: name }),
      );
      story.nicknames.set(uid, name);
      return;
    }
    case 'sign':
      changeSign(story);
      return;
    case 'disable':
      if (story.disabled.includes(uid) || story.disabled.length > story.people.length / 50) return;
      story.disabled.push(uid);
      change(story, uid, { disabled: true }, 'server');
      return;
    case 'enable': {
      const back = story.disabled.shift();
      if (back !== undefined) change(story, back, { disabled: false }, 'server');
      return;
    }
    case 'member':
      if (story.members.includes(uid) || story.members.length > story.people.length / 50) return;
      story.members.push(uid);
      change(story, uid, { isMember: true }, 'server');
      return;
    case 'reply':
      changeReplies(story);
      return;
  }
}

function change(story: Story, uid: Uid, changes: AccountChanges, by?: 'server'): void {
  const context = by === undefined ? story.request(uid) : story.decided.request(by);
  story.decide(story.users, userStream(uid), context, (state) => changeAccount(state, changes));
}

/** A member (会员) adds, changes or deletes one of their replies. */
function changeReplies(story: Story): void {
  const { random } = story;
  const uid = random.pickAny(story.members);
  if (uid === undefined) return;
  const stream = replyStream(uid);
  const rid = random.pickAny([...story.replies.get(stream).keys()]);
  const context = story.request(uid);
  if (rid === undefined || random.chance(0.5)) {
    const type = random.pick<ReplyType>([1, 2, 3]);
    const reply = {
      rid: story.nextReplyId(),
      uid,
      type,
      weights: random.integer(0, 9),
      isDefault: type === 1,
    };
    const texts = { title: type === 3 ? '在吗?' : '你好', content: '您好,请问有什么可以帮您?' };
    story.decide(story.replies, stream, context, (state) => addReply(state, { ...reply, ...texts }));
  } else if (random.chance(0.7)) {
    const weights = random.integer(10, 99);
    story.decide(story.replies, stream, context, (state) => updateReply(state, rid, { weights }));
  } else {
    story.decide(story.replies, stream, context, (state) => deleteReply(state, rid));
  }
}
