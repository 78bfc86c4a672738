import { describe, expect, it } from 'vitest';
import { Refusal } from '../../contracts/codes.ts';
import type { GroupEvent } from '../../contracts/events/group.ts';
import type { UserEvent } from '../../contracts/events/user.ts';
import { NumberId, type Uid } from '../../contracts/ids.ts';
import { defaultSettings, type Settings } from '../../contracts/settings.ts';
import { fold } from '../../services/domain/aggregate.ts';
import {
  type Addressee,
  conversationStream,
  deleteMessage,
  mustMaySend,
  revokeMessage,
  type StandingMessage,
  sendMessage,
} from '../../services/domain/conversation.ts';
import { friendship } from '../../services/domain/friendship.ts';
import { group } from '../../services/domain/group.ts';
import { user } from '../../services/domain/user.ts';
import { between, gid, inGroup, mid, uid } from '../support/events.ts';

const now = 1_700_000_000;
const [me, other] = [uid(1), uid(2)];

function person(who: Uid, ...events: UserEvent[]) {
  const profile = { username: `u${who}`, nickname: `n${who}`, avatar: '', sign: '', phone: null };
  const data = { uid: who, ...profile, numberId: NumberId.parse(7_000_000), parent: null };
  return fold(user, [{ type: 'UserRegistered', data }, ...events]);
}

const disabled: UserEvent = { type: 'AccountDisabled', data: { uid: me } };

function friend(friends: boolean, exists = true): Addressee {
  const befriended = { type: 'Befriended', data: { by: me, friend: other } } as const;
  return {
    type: 'friend',
    uid: other,
    user: exists ? person(other) : null,
    friendship: fold(friendship, friends ? [befriended] : []),
  };
}

function groupOf(...events: GroupEvent[]) {
  const members = [1, 2, 3, 4].map(uid);
  const data = { gid: gid(50), owner: uid(4), members, name: '群', avatar: null, noticeMid: null };
  return fold(group, [{ type: 'GroupCreated', data }, ...events]);
}

const noticeMid = mid(1);
const groupMuted: GroupEvent = { type: 'GroupMuted', data: { gid: gid(50), by: uid(4), noticeMid } };
const muted: GroupEvent = {
  type: 'MemberMuted',
  data: { gid: gid(50), by: uid(4), uid: me, until: now + 60, noticeMid },
};
const left: GroupEvent = { type: 'MemberLeft', data: { gid: gid(50), uid: me, faces: null } };
const dissolved: GroupEvent = { type: 'GroupDissolved', data: { gid: gid(50), by: uid(4), released: false } };
const manager: GroupEvent = { type: 'ManagerAppointed', data: { gid: gid(50), uid: uid(3) } };
const inThe = (...events: GroupEvent[]): Addressee => ({ type: 'group', group: groupOf(...events) });

const settings = (changes: Partial<Settings> = {}): Settings => ({ ...defaultSettings, ...changes });

/** The code of a refusal; undefined where nothing was refused. */
function refusal(attempt: () => unknown): string | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error.reason;
    throw error;
  }
}

describe('who may send to a person', () => {
  const strangersOff = { stranger_chat: 'off' } as const;
  const chatOff = { private_chat: 'off' } as const;
  const may = (sender: ReturnType<typeof person>, to: Addressee, changes: Partial<Settings> = {}) =>
    refusal(() => mustMaySend(sender, to, settings(changes), now));

  it('is a friend, and a stranger where strangers may chat', () => {
    expect(may(person(me), friend(true), strangersOff)).toBeUndefined();
    expect(may(person(me), friend(false))).toBeUndefined();
    expect(may(person(me), friend(false), strangersOff)).toBe('notFriends');
  });

  it('is told what is in the way in the order: sender, disabled, switch, other, friendship', () => {
    const all = { ...strangersOff, ...chatOff };
    expect(may(null, friend(false, false), all)).toBe('noUser');
    expect(may(person(me, disabled), friend(false, false), all)).toBe('disabled');
    expect(may(person(me), friend(false, false), all)).toBe('chatOff');
    expect(may(person(me), friend(false, false), strangersOff)).toBe('noUser');
    expect(may(person(me), friend(false), strangersOff)).toBe('notFriends');
  });

  it('does not mind the switch of groups', () => {
    expect(may(person(me), friend(true), { group_chat: 'off' })).toBeUndefined();
  });
});

describe('who may send to a group', () => {
  const chatOff = { group_chat: 'off' } as const;
  const may = (sender: ReturnType<typeof person>, to: Addressee, changes: Partial<Settings> = {}) =>
    refusal(() => mustMaySend(sender, to, settings(changes), now));

  it('is a member, friends or not', () => {
    expect(may(person(me), inThe(), { stranger_chat: 'off', private_chat: 'off' })).toBeUndefined();
  });

  it('is told what is in the way in the order: sender, disabled, switch, group, membership, mute', () => {
    expect(may(null, inThe(left), chatOff)).toBe('noUser');
    expect(may(person(me, disabled), inThe(left), chatOff)).toBe('disabled');
    expect(may(person(me), inThe(dissolved), chatOff)).toBe('chatOff');
    expect(may(person(me), inThe(muted, dissolved))).toBe('noGroup');
    // A group that there is not is told as one that one is not in.
    expect(may(person(me), inThe(left, dissolved))).toBe('illegal');
    expect(may(person(me), { type: 'group', group: null })).toBe('illegal');
    expect(may(person(me), inThe(muted, groupMuted, left))).toBe('illegal');
    expect(may(person(me), inThe(muted, groupMuted))).toBe('muted');
    expect(may(person(me), inThe(groupMuted))).toBe('groupMuted');
  });
});

describe('a message', () => {
  const say = (content: string, to: Addressee, changes: Partial<Settings> = {}, from = me) => {
    const conversation = to.type === 'group' ? inGroup(50) : between(1, 2);
    return sendMessage({ conversation, mid: mid(5), from, content }, to, settings(changes)).data;
  };

  it('goes to the stream of its conversation', () => {
    expect(conversationStream(between(2, 1))).toBe('conversation-f1-2');
    expect(conversationStream(inGroup(50))).toBe('conversation-g50');
  });

  it('is stored as it came, whatever it holds', () => {
    const contents = [
      '[表情5]',
      '![图](//a/b.png)',
      'file[甲\t7.15 KB](//a/b)',
      'voice(//a/b.mp3)',
      '<b>',
      '\u0000',
      '\ud800',
      '',
    ];
    for (const content of contents) {
      expect(say(content, friend(true))).toEqual({
        conversation: 'f1-2',
        mid: 5,
        from: 1,
        content,
      });
    }
  });

  it('is stored without dirty words', () => {
    expect(say('说坏话', friend(true), { dirty_words: '坏话' })).toMatchObject({ content: '说**' });
  });

  it('carries what it quotes, and its client’s own id with the hash', () => {
    const draft = { conversation: between(1, 2), mid: mid(5), from: me, content: 'x' };
    expect(
      sendMessage(
        { ...draft, quoteMid: mid(4), uniqueId: 'u', contentHash: 'h', automatic: true },
        friend(true),
        settings(),
      ).data,
    ).toEqual({ ...draft, quoteMid: 4, uniqueId: 'u', contentHash: 'h', automatic: true });
  });

  it('mentions members by uid: each once, nobody outside, not oneself', () => {
    expect(say('@[乙](2) @[丙](3)@[乙](2) @[外](9) @[我](1)', inThe())).toMatchObject({ mentions: [2, 3] });
    expect(say('@[外](9) @[我](1) @[x](0) @[x](99999999999999999)', inThe())).not.toHaveProperty('mentions');
  });

  it('mentions nobody between two', () => {
    expect(say('@[乙](2) @all', friend(true))).not.toHaveProperty('mentions');
  });

  it('mentions all where the owner or a manager writes it', () => {
    expect(say('@all 开会', inThe(), {}, uid(4))).toMatchObject({ mentions: ['all'] });
    expect(say('大家好@all开会', inThe(manager), {}, uid(3))).toMatchObject({ mentions: ['all'] });
    expect(say('@all', inThe(manager), {}, uid(2))).not.toHaveProperty('mentions');
  });

  it('mentions all only where it is said, not within a word or an address', () => {
    for (const content of ['@allen', '@all_', 'tom@all.com', '@ all', '@ALL']) {
      expect(say(content, inThe(), {}, uid(4)), content).not.toHaveProperty('mentions');
    }
  });

  it('mentions those whom a dirty word hides', () => {
    expect(say('@[坏](2)', inThe(), { dirty_words: '坏' })).toMatchObject({
      content: '@[*](2)',
      mentions: [2],
    });
  });
});

/** A message of `me`, `age` seconds old. */
function standing(age: number, more: Partial<StandingMessage> = {}): StandingMessage {
  const message = { mid: mid(5), sequence: 3, sender: me, timestamp: now - age, notice: false } as const;
  return { ...message, state: 'normal', ...more };
}

const taking = (by: Uid, message: StandingMessage, within?: ReturnType<typeof groupOf>) => ({
  conversation: within ? inGroup(50) : between(1, 2),
  message,
  by,
  group: within ?? undefined,
  settings: settings(),
  now,
});

describe('revoking', () => {
  it('is for the sender, for two minutes', () => {
    const at = { conversation: between(1, 2), mid: mid(5), sequence: 3, by: me };
    expect(revokeMessage(taking(me, standing(120)))).toEqual([{ type: 'MessageRevoked', data: at }]);
    expect(refusal(() => revokeMessage(taking(me, standing(121))))).toBe('tooLate');
  });

  it('follows the setting', () => {
    const early = { ...taking(me, standing(61)), settings: settings({ revoke_seconds: 60 }) };
    expect(refusal(() => revokeMessage(early))).toBe('tooLate');
  });

  it('is not for others', () => {
    expect(refusal(() => revokeMessage(taking(other, standing(0))))).toBe('illegal');
    expect(refusal(() => revokeMessage(taking(other, standing(0), groupOf())))).toBe('illegal');
  });

  it('is for owner and managers of the group at any time', () => {
    for (const by of [3, 4]) {
      expect(revokeMessage(taking(uid(by), standing(99_999), groupOf(manager)))).toHaveLength(1);
    }
  });

  it('is for nobody where it is a notice', () => {
    expect(refusal(() => revokeMessage(taking(uid(4), standing(0, { notice: true }), groupOf())))).toBe(
      'illegal',
    );
    expect(refusal(() => revokeMessage(taking(me, standing(0, { notice: true }), groupOf())))).toBe(
      'illegal',
    );
  });

  it('twice is done, also when it would be too late by now', () => {
    expect(revokeMessage(taking(me, standing(999, { state: 'revoked' })))).toEqual([]);
  });

  it('finds no message that was deleted', () => {
    expect(refusal(() => revokeMessage(taking(me, standing(0, { state: 'deleted' }))))).toBe('noMessage');
  });
});

describe('deleting', () => {
  const forSelf = (by: Uid, message: StandingMessage, within?: ReturnType<typeof groupOf>) =>
    deleteMessage({ ...taking(by, message, within), scope: 'self' });
  const forAll = (by: Uid, message: StandingMessage, within?: ReturnType<typeof groupOf>) =>
    deleteMessage({ ...taking(by, message, within), scope: 'all' });

  it('for oneself is for everyone, at any time, notices too', () => {
    expect(forSelf(other, standing(99_999))).toMatchObject([{ data: { by: other, scope: 'self' } }]);
    expect(forSelf(other, standing(0, { notice: true }), groupOf())).toHaveLength(1);
    expect(forSelf(other, standing(0, { state: 'revoked' }))).toHaveLength(1);
  });

  it('for all goes by the rules of revoking', () => {
    expect(forAll(me, standing(120))).toMatchObject([{ data: { by: me, scope: 'all' } }]);
    expect(refusal(() => forAll(me, standing(121)))).toBe('tooLate');
    expect(refusal(() => forAll(other, standing(0)))).toBe('illegal');
    expect(forAll(uid(4), standing(99_999), groupOf())).toHaveLength(1);
  });

  it('is done where it is deleted for all', () => {
    expect(forSelf(other, standing(0, { state: 'deleted' }))).toEqual([]);
    expect(forAll(other, standing(0, { state: 'deleted' }))).toEqual([]);
  });
});
