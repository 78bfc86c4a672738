import { userAvatar } from '../contracts/avatars.ts';
import type { FriendshipEvent } from '../contracts/events/friendship.ts';
import { friendConversation, type Uid } from '../contracts/ids.ts';
import { userChannel } from '../contracts/push/index.ts';
import { hideChat } from './inbox.ts';
import { friendMessagePushReads, friendMessageReads, plain, sendToFriend } from './messages.ts';
import { type ProjectionsOf, type Pushes, timestampOf } from './projection.ts';
import type { Rows } from './store/row-store.ts';
import type { Ref } from './store/table.ts';
import { applications, applicationsOf, conversations, friendships, inbox, users } from './tables.ts';

const applicationsBetween = (one: Uid, other: Uid): Ref[] => [
  applicationsOf(one, other),
  applicationsOf(other, one),
];

const friendshipBetween = (one: Uid, other: Uid): Ref[] => [
  friendships.at(one, other),
  friendships.at(other, one),
];

/** Answers all open applications between two people, in both directions. */
function answer(rows: Rows, one: Uid, other: Uid, operation: 'agree' | 'refuse'): void {
  for (const list of [applicationsOf(one, other), applicationsOf(other, one)]) {
    for (const application of rows.list(list)) {
      if (application.gid !== null || application.operation !== 'not_operated') continue;
      rows.put(applications, { ...application, operation });
    }
  }
}

/** Makes two people friends and pushes each to the other. Does nothing if they are friends already. */
function befriend(rows: Rows, pushes: Pushes, one: Uid, other: Uid): void {
  for (const [uid, friend] of [
    [one, other],
    [other, one],
  ] as const) {
    if (rows.get(friendships.at(uid, friend))) continue;
    rows.put(friendships, { uid, friend, remark: '' });
    const { nickname, avatar } = rows.get(users.at(friend)) ?? { nickname: '', avatar: '' };
    const data = { uid: friend, name: nickname, avatar: userAvatar(avatar) };
    pushes.add(userChannel(uid), 'addFriend', data);
  }
}

/** Friendships and applications to be friends. */
export const friendshipProjections: ProjectionsOf<FriendshipEvent> = {
  FriendApplied: {
    reads: () => [],
    apply(event, rows, pushes) {
      const { applicationId, from, to, postscript } = event.data;
      rows.put(applications, {
        application_id: applicationId,
        applicant: from,
        recipient: to,
        postscript,
        operation: 'not_operated',
        timestamp: timestampOf(event),
        gid: null,
      });
      pushes.add(userChannel(to), 'friendApply', { uid: from });
    },
  },
  FriendAgreed: {
    // Befriending reads what the pushes of the message read.
    reads: ({ data: { from, to } }) => [
      ...applicationsBetween(from, to),
      ...friendMessageReads(to, from),
      ...friendMessagePushReads(to, from),
    ],
    apply(event, rows, pushes) {
      const { from, to, mid, content } = event.data;
      answer(rows, from, to, 'agree');
      befriend(rows, pushes, from, to);
      sendToFriend(rows, pushes, to, from, {
        place: event.position,
        mid,
        event_id: event.id,
        content,
        timestamp: timestampOf(event),
        sub_type: 'message',
        ...plain,
      });
    },
  },
  FriendRefused: {
    reads: ({ data: { from, to } }) => applicationsBetween(from, to),
    apply({ data: { from, to } }, rows) {
      answer(rows, from, to, 'refuse');
    },
  },
  Befriended: {
    reads: ({ data: { by, friend } }) => [
      ...applicationsBetween(by, friend),
      ...friendshipBetween(by, friend),
      users.at(by),
      users.at(friend),
    ],
    apply({ data: { by, friend } }, rows, pushes) {
      answer(rows, by, friend, 'agree');
      befriend(rows, pushes, by, friend);
    },
  },
  FriendRemarked: {
    reads: ({ data: { by, friend } }) => [friendships.at(by, friend)],
    apply({ data: { by, friend, remark } }, rows) {
      const friendship = rows.get(friendships.at(by, friend));
      if (friendship) rows.put(friendships, { ...friendship, remark });
    },
  },
  Unfriended: {
    reads: ({ data: { by, friend } }) => {
      const conversation = friendConversation(by, friend);
      return [
        ...friendshipBetween(by, friend),
        conversations.at(conversation),
        inbox.at(by, conversation),
        inbox.at(friend, conversation),
      ];
    },
    apply({ data: { by, friend } }, rows, pushes) {
      for (const [uid, other] of [
        [by, friend],
        [friend, by],
      ] as const) {
        if (!rows.get(friendships.at(uid, other))) continue;
        rows.delete(friendships.at(uid, other));
        hideChat(rows, uid, friendConversation(uid, other));
        pushes.add(userChannel(uid), 'removeFriend', { uid: other });
      }
    },
  },
};
