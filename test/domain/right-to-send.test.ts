import { describe, expect, it } from 'vitest';
import type { Settings } from '../../contracts/settings.ts';
import { type Addressee, mustMaySend } from '../../services/domain/conversation.ts';
import {
  disabled,
  dissolved,
  friend,
  groupMuted,
  inThe,
  left,
  me,
  muted,
  now,
  person,
  refusal,
  settings,
} from './conversation-states.ts';

describe('who may send to a person', () => {
  const strangersOff = { stranger_chat: 'off' } as const;
  const chatOff = { private_chat: 'off' } as const;
  const may = (sender: ReturnType<typeof person>, to: Addressee, changes: Partial<Settings> = {}) =>
    refusal(() => mustMaySend(sender, to, settings(changes), now));

  it('is a friend, and a stranger if strangers may chat', () => {
    expect(may(person(me), friend(true), strangersOff)).toBeUndefined();
    expect(may(person(me), friend(false))).toBeUndefined();
    expect(may(person(me), friend(false), strangersOff)).toBe('notFriends');
  });

  it('gets the first refusal in the order: sender, disabled, switch, other, friendship', () => {
    const all = { ...strangersOff, ...chatOff };
    expect(may(null, friend(false, false), all)).toBe('noUser');
    expect(may(person(me, disabled), friend(false, false), all)).toBe('disabled');
    expect(may(person(me), friend(false, false), all)).toBe('chatOff');
    expect(may(person(me), friend(false, false), strangersOff)).toBe('noUser');
    expect(may(person(me), friend(false), strangersOff)).toBe('notFriends');
  });

  it('does not depend on the switch of groups', () => {
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

  it('gets the first refusal in the order: sender, disabled, switch, group, membership, mute', () => {
    expect(may(null, inThe(left), chatOff)).toBe('noUser');
    expect(may(person(me, disabled), inThe(left), chatOff)).toBe('disabled');
    expect(may(person(me), inThe(dissolved), chatOff)).toBe('chatOff');
    expect(may(person(me), inThe(muted, dissolved))).toBe('noGroup');
    // A group that does not exist gets the same refusal as one that the sender is not in.
    expect(may(person(me), inThe(left, dissolved))).toBe('illegal');
    expect(may(person(me), { type: 'group', group: null })).toBe('illegal');
    expect(may(person(me), inThe(muted, groupMuted, left))).toBe('illegal');
    expect(may(person(me), inThe(muted, groupMuted))).toBe('muted');
    expect(may(person(me), inThe(groupMuted))).toBe('groupMuted');
  });
});
