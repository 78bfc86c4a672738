import type { TextName } from '../texts.ts';

/** A question of explain: a name, and the words behind it, each an id with its label or a word as it is. */
export interface Question {
  readonly label: TextName;
  readonly words: readonly [name: string, ...rest: (string | { readonly id: TextName })[]];
}

const uid = { id: 'uid' } as const;
const gid = { id: 'gid' } as const;
const mid = { id: 'messageId' } as const;
const otherUid = { id: 'otherUid' } as const;

/** Every question that the server answers (`contracts/http/explain.ts`). */
export const questions: readonly [Question, ...Question[]] = [
  { label: 'q-can-speak', words: ['can-speak', uid, 'group', gid] },
  { label: 'q-can-send', words: ['can-send', uid, 'friend', otherUid] },
  { label: 'q-friends', words: ['friends', uid, otherUid] },
  { label: 'q-member', words: ['member', uid, gid] },
  { label: 'q-manager', words: ['manager', uid, gid] },
  { label: 'q-visible', words: ['visible', mid, 'to', uid] },
  { label: 'q-unread-friend', words: ['unread', { id: 'unreadOfMe' }, 'friend', { id: 'friendUid' }] },
  { label: 'q-unread-group', words: ['unread', { id: 'unreadOfMe' }, 'group', gid] },
  { label: 'q-account', words: ['account', uid] },
  { label: 'q-message', words: ['message', mid] },
];
