import { expect, test } from 'vitest';
import { parseQuestion } from '../../../services/audit/explain/question.ts';

const parsed = (text: string) => parseQuestion(text.split(' ').filter(Boolean));

test.each([
  ['can-speak 9 group 50', { kind: 'can-speak', uid: 9, gid: 50 }],
  ['can-send 9 friend 12', { kind: 'can-send', uid: 9, friend: 12 }],
  ['friends 9 12', { kind: 'friends', uid: 9, friend: 12 }],
  ['member 9 50', { kind: 'member', uid: 9, gid: 50 }],
  ['manager 9 50', { kind: 'manager', uid: 9, gid: 50 }],
  ['visible 845 to 9', { kind: 'visible', mid: 845, uid: 9 }],
  ['unread 9 friend 12', { kind: 'unread', uid: 9, chat: { type: 'friend', id: 12 } }],
  ['unread 9 group 50', { kind: 'unread', uid: 9, chat: { type: 'group', id: 50 } }],
  ['account 9', { kind: 'account', uid: 9 }],
  ['message 845', { kind: 'message', mid: 845 }],
])('reads "%s"', (text, question) => {
  expect(parsed(text)).toEqual(question);
});

test.each([
  ['', 'no question is given; the questions are: can-speak UID group GID'],
  ['may-speak 9 group 50', 'there is no question "may-speak"; the questions are: can-speak UID group GID'],
  ['can-speak 9 50', '"can-speak 9 50" should be can-speak UID group GID'],
  ['can-speak 9 group tom', '"can-speak 9 group tom" should be can-speak UID group GID'],
  ['account 0', '"account 0" should be account UID, and each UID, GID and MID a whole number from 1 on'],
  ['account 9 9', '"account 9 9" should be account UID'],
  ['account 99999999999999999', '"account 99999999999999999" should be account UID'],
  ['unread 9 12', '"unread 9 12" should be unread UID friend UID or unread UID group GID'],
  ['friends 9 9', 'the question names person 9 twice'],
  ['unread 9 friend 9', 'the question names person 9 twice'],
])('says of "%s" what would be right', (text, reason) => {
  expect(() => parsed(text)).toThrow(reason);
});
