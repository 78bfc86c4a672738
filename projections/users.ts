import { userAvatar } from '../contracts/avatars.ts';
import type { UserEvent } from '../contracts/events/user.ts';
import type { Uid } from '../contracts/ids.ts';
import { groupChannel, userChannel } from '../contracts/push/index.ts';
import { type ProjectionsOf, type Pushes, timestampOf } from './projection.ts';
import type { Rows } from './store/row-store.ts';
import { deletions, friendsOf, groupsOf, type UserRow, users } from './tables.ts';

const reads = ({ data }: { data: { uid: Uid } }) => [users.at(data.uid)];

function change(rows: Rows, uid: Uid, changes: Partial<UserRow>): void {
  const user = rows.get(users.at(uid));
  if (!user) throw new TypeError(`user ${uid} was never registered`);
  rows.put(users, { ...user, ...changes });
}

/** Pushes a changed profile to its owner, to each friend, and to each group once. */
function pushProfile(rows: Rows, pushes: Pushes, { uid, nickname, avatar }: UserRow): void {
  const profile = { uid, nickname, avatar: userAvatar(avatar) };
  pushes.add(userChannel(uid), 'profile', profile);
  const friends = rows.list(friendsOf(uid)).map(({ friend }) => friend);
  for (const friend of friends.sort((one, other) => one - other)) {
    pushes.add(userChannel(friend), 'profile', profile);
  }
  const gids = rows.list(groupsOf(uid)).map(({ gid }) => gid);
  for (const gid of gids.sort((one, other) => one - other)) pushes.add(groupChannel(gid), 'profile', profile);
}

/** Profiles and accounts. */
export const userProjections: ProjectionsOf<UserEvent> = {
  UserRegistered: {
    reads,
    apply(event, rows) {
      if (rows.get(users.at(event.data.uid))) return;
      const { uid, username, nickname, avatar, sign, phone, numberId, parent } = event.data;
      rows.put(users, {
        uid,
        username,
        nickname,
        avatar,
        sign,
        phone,
        number_id: numberId,
        is_member: false,
        account_state: 'normal',
        parent,
        created: timestampOf(event),
      });
    },
  },
  ProfileChanged: {
    reads,
    pushReads: ({ data: { uid, nickname, avatar } }) => {
      const pushed = nickname !== undefined || avatar !== undefined;
      return pushed ? [friendsOf(uid), groupsOf(uid)] : [];
    },
    apply({ data: { uid, nickname, avatar, sign } }, rows, pushes) {
      const before = rows.get(users.at(uid));
      change(rows, uid, {
        ...(nickname === undefined ? {} : { nickname }),
        ...(avatar === undefined ? {} : { avatar }),
        ...(sign === undefined ? {} : { sign }),
      });
      const after = rows.get(users.at(uid));
      if (!pushes.wanted || !after || (before?.nickname === after.nickname && before.avatar === after.avatar))
        return;
      pushProfile(rows, pushes, after);
    },
  },
  PhoneBound: {
    reads,
    apply({ data: { uid, phone } }, rows) {
      change(rows, uid, { phone });
    },
  },
  AccountDisabled: {
    reads,
    apply({ data }, rows) {
      change(rows, data.uid, { account_state: 'disabled' });
    },
  },
  AccountEnabled: {
    reads,
    apply({ data }, rows) {
      change(rows, data.uid, { account_state: 'normal' });
    },
  },
  AccountDeleted: {
    reads,
    apply(event, rows) {
      const { uid } = event.data;
      change(rows, uid, { account_state: 'deleted', phone: null });
      rows.put(deletions, { uid, begun: timestampOf(event) });
    },
  },
  AccountDeletionCompleted: {
    reads: () => [],
    apply({ data }, rows) {
      rows.delete(deletions.at(data.uid));
    },
  },
  MembershipGranted: {
    reads,
    apply({ data }, rows) {
      change(rows, data.uid, { is_member: true });
    },
  },
  MembershipRevoked: {
    reads,
    apply({ data }, rows) {
      change(rows, data.uid, { is_member: false });
    },
  },
};
