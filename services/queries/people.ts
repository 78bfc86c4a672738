import { sql } from 'kysely';
import { userAvatar } from '../../contracts/avatars.ts';
import type { UserProfile } from '../../contracts/http/user.ts';
import type { NumberId, Uid } from '../../contracts/ids.ts';
import { neverOnline, type PresenceState } from './presence.ts';
import type { ReadDatabase } from './tables.ts';

/** By what a person is looked up. */
export type PersonKey =
  | { readonly uid: Uid }
  | { readonly username: string }
  | { readonly numberId: NumberId };

/** Returns who is online, over all gateways. */
export type ReadPresence = (uids: readonly Uid[]) => Promise<ReadonlyMap<Uid, PresenceState>>;

/** One array, so that the statement does not depend on their number. */
const isOneOf = (uids: readonly Uid[]) => sql<boolean>`uid = any(${uids}::bigint[])`;

const profileColumns = [
  'uid',
  'username',
  'nickname',
  'avatar',
  'sign',
  'number_id',
  'is_member',
  'account_state',
] as const;

/** A person as `user/get` shows them, without their relation to the caller; a deleted account is not found. */
export async function findProfile(
  database: ReadDatabase,
  presence: ReadPresence,
  key: PersonKey,
): Promise<(UserProfile & { uid: Uid }) | undefined> {
  const users = database
    .selectFrom('read.users')
    .select(profileColumns)
    .where('account_state', '<>', 'deleted');
  const found =
    'uid' in key
      ? users.where('uid', '=', key.uid)
      : 'numberId' in key
        ? users.where('number_id', '=', key.numberId)
        : users.where(({ fn, val, eb }) =>
            eb(fn<string>('lower', ['username']), '=', val(key.username.toLowerCase())),
          );
  const row = await found.orderBy('uid').limit(1).executeTakeFirst();
  if (!row) return undefined;
  const { state, logoutTimestamp } = (await presence([row.uid])).get(row.uid) ?? neverOnline;
  return {
    uid: row.uid,
    username: row.username,
    nickname: row.nickname,
    nid: row.number_id,
    is_member: row.is_member ? 1 : 0,
    sign: row.sign,
    avatar: userAvatar(row.avatar),
    state,
    logout_timestamp: logoutTimestamp,
    account_state: row.account_state === 'normal' ? 'normal' : 'disabled',
  };
}

/** Everyone who ever had a username or a number id, also those whose accounts were deleted. */
export async function findEverNamed(
  database: ReadDatabase,
  { username, numberId }: { readonly username: string | undefined; readonly numberId: NumberId | undefined },
): Promise<Uid[]> {
  if (username === undefined && numberId === undefined) return [];
  const rows = await database
    .selectFrom('read.users')
    .select('uid')
    .where(({ or, eb, fn, val }) =>
      or([
        ...(username === undefined
          ? []
          : [eb(fn<string>('lower', ['username']), '=', val(username.toLowerCase()))]),
        ...(numberId === undefined ? [] : [eb('number_id', '=', numberId)]),
      ]),
    )
    .execute();
  return rows.map(({ uid }) => uid);
}

/** What `user/multiGet` shows: in the order of `uids`, without unknown and deleted ones. */
export async function findPeople(database: ReadDatabase, presence: ReadPresence, uids: readonly Uid[]) {
  const rows = await database
    .selectFrom('read.users')
    .select(['uid', 'username', 'nickname', 'sign', 'avatar'])
    .where(isOneOf(uids))
    .where('account_state', '<>', 'deleted')
    .execute();
  const byUid = new Map(rows.map((row) => [row.uid, row]));
  const online = await presence(rows.map(({ uid }) => uid));
  return uids.flatMap((uid) => {
    const row = byUid.get(uid);
    if (!row) return [];
    const { state, logoutTimestamp } = online.get(uid) ?? neverOnline;
    return [{ ...row, avatar: userAvatar(row.avatar), state, logout_timestamp: logoutTimestamp }];
  });
}

/** The first of the uids that nobody has, or whose account was deleted; undefined if all exist. */
export async function findUnknown(database: ReadDatabase, uids: readonly Uid[]): Promise<Uid | undefined> {
  if (uids.length === 0) return undefined;
  const rows = await database
    .selectFrom('read.users')
    .select('uid')
    .where(isOneOf(uids))
    .where('account_state', '<>', 'deleted')
    .execute();
  const known = new Set(rows.map(({ uid }) => uid));
  return uids.find((uid) => !known.has(uid));
}

/** The nicknames and pictures of those of the uids that exist. */
export async function findFaces(
  database: ReadDatabase,
  uids: readonly Uid[],
): Promise<Map<Uid, { nickname: string; avatar: string }>> {
  const rows = await database
    .selectFrom('read.users')
    .select(['uid', 'nickname', 'avatar'])
    .where(isOneOf(uids))
    .execute();
  return new Map(rows.map(({ uid, ...face }) => [uid, face]));
}

/** What `uid` calls `friend`; undefined if they are no friends. */
export async function findRemark(database: ReadDatabase, uid: Uid, friend: Uid): Promise<string | undefined> {
  const row = await database
    .selectFrom('read.friendships')
    .select('remark')
    .where('uid', '=', uid)
    .where('friend', '=', friend)
    .executeTakeFirst();
  return row?.remark;
}
