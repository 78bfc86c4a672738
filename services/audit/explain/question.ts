import { z } from 'zod';
import type { Chat } from '../../../contracts/chat.ts';
import { Gid, Mid, Uid } from '../../../contracts/ids.ts';

/** What can be asked of how a decision came about. */
export type Question =
  | { readonly kind: 'can-speak'; readonly uid: Uid; readonly gid: Gid }
  | { readonly kind: 'can-send'; readonly uid: Uid; readonly friend: Uid }
  | { readonly kind: 'friends'; readonly uid: Uid; readonly friend: Uid }
  | { readonly kind: 'member'; readonly uid: Uid; readonly gid: Gid }
  | { readonly kind: 'manager'; readonly uid: Uid; readonly gid: Gid }
  | { readonly kind: 'visible'; readonly mid: Mid; readonly uid: Uid }
  | { readonly kind: 'unread'; readonly uid: Uid; readonly chat: Chat }
  | { readonly kind: 'account'; readonly uid: Uid }
  | { readonly kind: 'message'; readonly mid: Mid };

/** What is wrong with a question, and what would be right. */
export class QuestionError extends Error {
  override readonly name = 'QuestionError';
}

const digits = z
  .string()
  .regex(/^\d{1,16}$/)
  .transform(Number);
const uid = digits.pipe(Uid);
const gid = digits.pipe(Gid);
const mid = digits.pipe(Mid);
const word = z.literal;

/** The words of each question, by how its form is written for people. */
const forms = {
  'can-speak UID group GID': z
    .tuple([word('can-speak'), uid, word('group'), gid])
    .transform(([kind, uid, , gid]) => ({ kind, uid, gid })),
  'can-send UID friend UID': z
    .tuple([word('can-send'), uid, word('friend'), uid])
    .transform(([kind, uid, , friend]) => ({ kind, uid, friend })),
  'friends UID UID': z
    .tuple([word('friends'), uid, uid])
    .transform(([kind, uid, friend]) => ({ kind, uid, friend })),
  'member UID GID': z.tuple([word('member'), uid, gid]).transform(([kind, uid, gid]) => ({ kind, uid, gid })),
  'manager UID GID': z
    .tuple([word('manager'), uid, gid])
    .transform(([kind, uid, gid]) => ({ kind, uid, gid })),
  'visible MID to UID': z
    .tuple([word('visible'), mid, word('to'), uid])
    .transform(([kind, mid, , uid]) => ({ kind, mid, uid })),
  'unread UID friend UID': z
    .tuple([word('unread'), uid, word('friend'), uid])
    .transform(([kind, uid, type, id]) => ({ kind, uid, chat: { type, id } })),
  'unread UID group GID': z
    .tuple([word('unread'), uid, word('group'), gid])
    .transform(([kind, uid, type, id]) => ({ kind, uid, chat: { type, id } })),
  'account UID': z.tuple([word('account'), uid]).transform(([kind, uid]) => ({ kind, uid })),
  'message MID': z.tuple([word('message'), mid]).transform(([kind, mid]) => ({ kind, mid })),
} satisfies Readonly<Record<string, z.ZodType<Question>>>;

/** How each question is written; a word in upper case is a number. */
export const questionForms = Object.keys(forms);

/**
 * Reads a question, given as its words.
 * @throws QuestionError, which names what would be right
 */
export function parseQuestion(words: readonly string[]): Question {
  for (const form of Object.values(forms)) {
    const { data } = z.safeParse<z.ZodType<Question>>(form, words);
    if (data !== undefined) return mustNameTwo(data);
  }
  const [kind] = words;
  if (kind === undefined) throw new QuestionError(`no question is given; ${listed(questionForms)}`);
  const fitting = questionForms.filter((form) => form.split(' ')[0] === kind);
  if (fitting.length === 0) {
    throw new QuestionError(`there is no question "${kind}"; ${listed(questionForms)}`);
  }
  throw new QuestionError(
    `"${words.join(' ')}" should be ${fitting.join(' or ')}, and each UID, GID and MID a whole number from 1 on`,
  );
}

function listed(all: readonly string[]): string {
  return `the questions are: ${all.join(', ')}`;
}

/** @throws QuestionError if it is about two people and names one of them twice */
function mustNameTwo(question: Question): Question {
  const other =
    question.kind === 'can-send' || question.kind === 'friends'
      ? question.friend
      : question.kind === 'unread' && question.chat.type === 'friend'
        ? question.chat.id
        : undefined;
  if (other !== undefined && 'uid' in question && question.uid === other) {
    throw new QuestionError(`the question names person ${other} twice: it is about two people`);
  }
  return question;
}
