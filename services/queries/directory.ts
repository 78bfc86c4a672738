import { type RawBuilder, sql } from 'kysely';
import { groupAvatar, userAvatar } from '../../contracts/avatars.ts';
import { Refusal } from '../../contracts/codes.ts';
import type { ListedGroup, ListedMember, ListedUser } from '../../contracts/http/administration.ts';
import type { Gid, NumberId, Uid } from '../../contracts/ids.ts';
import type { ReadPresence } from './people.ts';
import type { ReadDatabase } from './tables.ts';

/*
 * Everybody and every group, for those who administer the system. What is searched for is the beginning of a text: an
 * index has it in its order, so that a page costs as little in a list of millions. (Trigrams find no Chinese name of two
 * characters, and need an extension.)
 */

/** By what people are searched, at most one of these; nothing: all of them, by uid. */
export interface PeopleSearch {
  readonly username?: string | undefined;
  readonly nickname?: string | undefined;
  readonly phone?: string | undefined;
  readonly numberId?: NumberId | undefined;
}

/** By what groups are searched, at most one of these; nothing: all of them, by gid. */
export interface GroupSearch {
  readonly gid?: Gid | undefined;
  readonly name?: string | undefined;
  readonly owner?: Uid | undefined;
}

/** Which part of a list: up to `limit` entries after the one that `from` names, as `next` of the page before. */
export interface DirectoryPage {
  readonly from?: string | undefined;
  readonly limit: number;
}

/** A text as it is searched: in lower case, and as long as the indexes have it. */
const searched = (text: RawBuilder<unknown>) => sql<string>`left(lower(${text}), 64) collate "C"`;

/** Which entries are in a list. With a key it is sorted by that, then by the ids; else by the ids. */
interface Selection {
  readonly among: RawBuilder<boolean>;
  readonly key?: RawBuilder<string>;
}

/** The entries whose text begins with another: no character comes after U+10FFFF in the order of "C". */
const beginning = (key: RawBuilder<string>, start: RawBuilder<unknown>): Selection => ({
  key,
  among: sql`${key} >= ${start} and ${key} <= ${start} || ${'\u{10ffff}'}`,
});

function selectPeople({ username, nickname, phone, numberId }: PeopleSearch): Selection {
  if (username !== undefined) return beginning(searched(sql`u.username`), searched(sql`${username}::text`));
  if (nickname !== undefined) return beginning(searched(sql`u.nickname`), searched(sql`${nickname}::text`));
  if (phone !== undefined) return beginning(sql`u.phone collate "C"`, sql`${phone}::text collate "C"`);
  return { among: numberId === undefined ? sql`true` : sql`u.number_id = ${numberId}` };
}

function selectGroups({ gid, name, owner }: GroupSearch): Selection {
  if (name !== undefined) return beginning(searched(sql`g.name`), searched(sql`${name}::text`));
  if (owner !== undefined) return { among: sql`g.owner = ${owner}` };
  return { among: gid === undefined ? sql`true` : sql`g.gid = ${gid}` };
}

/** The end of a query for one page and one entry more, in a table whose ids are `id`. */
function pageOf({ key, among }: Selection, id: RawBuilder<unknown>, { from, limit }: DirectoryPage) {
  const after = from === undefined ? beforeAll : readCursor(from);
  return key === undefined
    ? sql`where ${among} and ${id} > ${after.id} order by ${id} limit ${limit + 1}`
    : sql`where ${among} and (${key}, ${id}) > (${after.key}::text collate "C", ${after.id}::bigint)
          order by ${key}, ${id} limit ${limit + 1}`;
}

/** The entries of a page, and the cursor of the next one; null if there is none. */
function cut<Row extends { readonly key: string; readonly id: number }>(rows: readonly Row[], limit: number) {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const next = last === undefined || rows.length <= limit ? null : writeCursor(last);
  return { shown, next };
}

/** Where a page ended. */
interface Cursor {
  readonly id: number;
  readonly key: string;
}

const beforeAll: Cursor = { id: 0, key: '' };

function writeCursor({ id, key }: Cursor): string {
  return `${id}.${Buffer.from(key).toString('base64url')}`;
}

/** @throws Refusal illegal if no page ended with it */
function readCursor(from: string): Cursor {
  const [id, encoded = ''] = from.split('.');
  const key = Buffer.from(encoded, 'base64url').toString();
  if (!Number.isSafeInteger(Number(id)) || key.includes('\0')) throw Refusal.illegal('from');
  return { id: Number(id), key };
}

/** A page of the people, also of those whose accounts are disabled or deleted. @throws Refusal illegal */
export async function findPeoplePage(
  database: ReadDatabase,
  presence: ReadPresence,
  search: PeopleSearch,
  page: DirectoryPage,
): Promise<{ users: ListedUser[]; next: string | null }> {
  const selection = selectPeople(search);
  const { rows } = await sql<PersonRow>`
    select u.uid as id, ${selection.key ?? sql`''`} as key, u.username, u.nickname, u.avatar, u.sign, u.phone,
           u.number_id as nid, u.is_member, u.account_state, u.created
      from read.users u ${pageOf(selection, sql`u.uid`, page)}`.execute(database);
  const { shown, next } = cut(rows, page.limit);
  const online = await presence(shown.map(({ id }) => id));
  const users = shown.map(({ id: uid, key: _, is_member, avatar, created, ...row }) => ({
    ...{ uid, ...row, avatar: userAvatar(avatar), is_member: is_member ? (1 as const) : (0 as const) },
    state: online.get(uid)?.state ?? 'offline',
    logout_timestamp: online.get(uid)?.logoutTimestamp ?? 0,
    timestamp: created,
  }));
  return { users, next };
}

interface PersonRow {
  readonly id: Uid;
  readonly key: string;
  readonly username: string;
  readonly nickname: string;
  readonly avatar: string;
  readonly sign: string;
  readonly phone: string | null;
  readonly nid: number;
  readonly is_member: boolean;
  readonly account_state: ListedUser['account_state'];
  readonly created: number;
}

/** A page of the groups, also of those that were dissolved. @throws Refusal illegal */
export async function findGroupsPage(
  database: ReadDatabase,
  search: GroupSearch,
  page: DirectoryPage,
): Promise<{ groups: ListedGroup[]; next: string | null }> {
  const selection = selectGroups(search);
  const { rows } = await sql<GroupRow>`
    with g as materialized (
      select g.*, ${selection.key ?? sql`''`} as key from read.groups g ${pageOf(selection, sql`g.gid`, page)}
    )
    select g.gid as id, g.key, g.owner, g.avatar, g.faces, g.state, g.created, g.name, g.muted, g.member_count,
           coalesce(u.nickname, '') as nickname
      from g left join read.users u on u.uid = g.owner
     order by ${selection.key === undefined ? sql`` : sql`g.key collate "C",`} g.gid`.execute(database);
  const { shown, next } = cut(rows, page.limit);
  const groups = shown.map(({ id: gid, owner, avatar, faces, state, created, name, muted, ...row }) => ({
    ...{ gid, uid: owner, nickname: row.nickname, avatar: groupAvatar(avatar, faces), state },
    ...{ timestamp: created, groupname: name, member_count: row.member_count, forbidden: muted },
  }));
  return { groups, next };
}

interface GroupRow {
  readonly id: Gid;
  readonly key: string;
  readonly owner: Uid;
  readonly nickname: string;
  readonly avatar: string | null;
  readonly faces: readonly Uid[];
  readonly state: ListedGroup['state'];
  readonly created: number;
  readonly name: string;
  readonly muted: boolean;
  readonly member_count: number;
}

/** A page of a group's members in the order of joining, with their roles; undefined if there is no such group. */
export async function findMembersPage(
  database: ReadDatabase,
  gid: Gid,
  { index, limit }: { readonly index: number; readonly limit: number },
): Promise<ListedMember[] | undefined> {
  const group = await database
    .selectFrom('read.groups')
    .select('gid')
    .where('gid', '=', gid)
    .executeTakeFirst();
  if (!group) return undefined;
  const rows = await database
    .selectFrom('read.group_members as m')
    .innerJoin('read.users as u', 'u.uid', 'm.uid')
    .select(['m.uid', 'u.avatar', 'u.nickname', 'm.index', 'm.role', 'm.muted_until as time'])
    .where('m.gid', '=', gid)
    .where('m.index', '>=', index)
    .orderBy('m.index')
    .limit(limit)
    .execute();
  return rows.map((row) => ({ ...row, avatar: userAvatar(row.avatar) }));
}
