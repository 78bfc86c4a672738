import type { UserEvent } from '../contracts/events/user.ts';
import type { Uid } from '../contracts/ids.ts';
import type { ProjectionsOf } from './projection.ts';
import type { Rows } from './store/row-store.ts';
import { type UserRow, users } from './tables.ts';

const reads = ({ data }: { data: { uid: Uid } }) => [users.at(data.uid)];

function change(rows: Rows, uid: Uid, changes: Partial<UserRow>): void {
  const user = rows.get(users.at(uid));
  if (!user) throw new TypeError(`user ${uid} was never registered`);
  rows.put(users, { ...user, ...changes });
}

/** Profiles and accounts. */
export const userProjections: ProjectionsOf<UserEvent> = {
  UserRegistered: {
    reads,
    apply({ data }, rows) {
      if (rows.get(users.at(data.uid))) return;
      const { uid, username, nickname, avatar, sign, phone, numberId, parent } = data;
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
      });
    },
  },
  ProfileChanged: {
    reads,
    apply({ data: { uid, nickname, avatar, sign } }, rows) {
      change(rows, uid, {
        ...(nickname === undefined ? {} : { nickname }),
        ...(avatar === undefined ? {} : { avatar }),
        ...(sign === undefined ? {} : { sign }),
      });
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
