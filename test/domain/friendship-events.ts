import type { FriendshipEvent } from '../../contracts/events/friendship.ts';
import { agreeText } from '../../services/domain/friendship.ts';
import { applicationId, mid, uid } from '../support/events.ts';

export const [tom, jerry] = [uid(9), uid(10)];

export const applied = (id: number, from = tom, to = jerry, postscript = '你好'): FriendshipEvent => ({
  type: 'FriendApplied',
  data: { applicationId: applicationId(id), from, to, postscript },
});

export const agreed = (id: number, greeting: number, from = tom, to = jerry): FriendshipEvent => ({
  type: 'FriendAgreed',
  data: { applicationId: applicationId(id), from, to, mid: mid(greeting), content: agreeText },
});

export const refused = (id: number, from = tom, to = jerry): FriendshipEvent => ({
  type: 'FriendRefused',
  data: { applicationId: applicationId(id), from, to },
});

export const befriended: FriendshipEvent = { type: 'Befriended', data: { by: tom, friend: jerry } };
export const unfriended: FriendshipEvent = { type: 'Unfriended', data: { by: jerry, friend: tom } };
