import { describe, expect, it } from 'vitest';
import type { Uid } from '../../contracts/ids.ts';
import {
  type ConversationMessage,
  deleteMessage,
  revokeMessage,
} from '../../services/domain/conversation.ts';
import { between, inGroup, mid, uid } from '../support/events.ts';
import { groupOf, manager, me, now, other, refusal, settings } from './conversation-states.ts';

/** A message of `me`, `age` seconds old. */
function messageOf(age: number, more: Partial<ConversationMessage> = {}): ConversationMessage {
  const message = { mid: mid(5), sequence: 3, sender: me, timestamp: now - age, notice: false } as const;
  return { ...message, state: 'normal', ...more };
}

const removal = (by: Uid, message: ConversationMessage, within?: ReturnType<typeof groupOf>) => ({
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
    expect(revokeMessage(removal(me, messageOf(120)))).toEqual([{ type: 'MessageRevoked', data: at }]);
    expect(refusal(() => revokeMessage(removal(me, messageOf(121))))).toBe('tooLate');
  });

  it('follows the setting', () => {
    const early = { ...removal(me, messageOf(61)), settings: settings({ revoke_seconds: 60 }) };
    expect(refusal(() => revokeMessage(early))).toBe('tooLate');
  });

  it('is not for others', () => {
    expect(refusal(() => revokeMessage(removal(other, messageOf(0))))).toBe('illegal');
    expect(refusal(() => revokeMessage(removal(other, messageOf(0), groupOf())))).toBe('illegal');
  });

  it('is for owner and managers of the group at any time', () => {
    for (const by of [3, 4]) {
      expect(revokeMessage(removal(uid(by), messageOf(99_999), groupOf(manager)))).toHaveLength(1);
    }
  });

  it('is refused for a notice', () => {
    expect(refusal(() => revokeMessage(removal(uid(4), messageOf(0, { notice: true }), groupOf())))).toBe(
      'illegal',
    );
    expect(refusal(() => revokeMessage(removal(me, messageOf(0, { notice: true }), groupOf())))).toBe(
      'illegal',
    );
  });

  it('a second time does nothing, also when it would be too late by now', () => {
    expect(revokeMessage(removal(me, messageOf(999, { state: 'revoked' })))).toEqual([]);
  });

  it('does not find a deleted message', () => {
    expect(refusal(() => revokeMessage(removal(me, messageOf(0, { state: 'deleted' }))))).toBe('noMessage');
  });
});

describe('deleting', () => {
  const forSelf = (by: Uid, message: ConversationMessage, within?: ReturnType<typeof groupOf>) =>
    deleteMessage({ ...removal(by, message, within), scope: 'self' });
  const forAll = (by: Uid, message: ConversationMessage, within?: ReturnType<typeof groupOf>) =>
    deleteMessage({ ...removal(by, message, within), scope: 'all' });

  it('for oneself is allowed to everyone, at any time, notices too', () => {
    expect(forSelf(other, messageOf(99_999))).toMatchObject([{ data: { by: other, scope: 'self' } }]);
    expect(forSelf(other, messageOf(0, { notice: true }), groupOf())).toHaveLength(1);
    expect(forSelf(other, messageOf(0, { state: 'revoked' }))).toHaveLength(1);
  });

  it('for all follows the rules of revoking', () => {
    expect(forAll(me, messageOf(120))).toMatchObject([{ data: { by: me, scope: 'all' } }]);
    expect(refusal(() => forAll(me, messageOf(121)))).toBe('tooLate');
    expect(refusal(() => forAll(other, messageOf(0)))).toBe('illegal');
    expect(forAll(uid(4), messageOf(99_999), groupOf())).toHaveLength(1);
  });

  it('does nothing if it is deleted for all', () => {
    expect(forSelf(other, messageOf(0, { state: 'deleted' }))).toEqual([]);
    expect(forAll(other, messageOf(0, { state: 'deleted' }))).toEqual([]);
  });
});
