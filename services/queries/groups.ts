import { sql } from 'kysely';
import { groupAvatar, userAvatar } from '../../contracts/avatars.ts';
import type { GroupDetail } from '../../contracts/http/group.ts';
import type { GroupMember } from '../../contracts/http/group-members.ts';
import { type Gid, groupConversation, type Uid } from '../../contracts/ids.ts';
import { deletedFor } from './deletions.ts';
import type { ReadDatabase } from './tables.ts';

/** How many members and mentions `group/detail` shows. */
const maxMembers = 15;
const maxMentions = 20;

/** A page of a group's members in the order of joining, with the names that `reader` sees. */
export async function findMembers(
  database: ReadDatabase,
  reader: Uid,
  gid: Gid,
  page: { readonly from: number; readonly limit: number; readonly exclude?: readonly Uid[] | undefined },
): Promise<(GroupMember & { remark: string })[]> {
  const rows = await database
    .selectFrom('read.group_members as m')
    .innerJoin('read.users as u', 'u.uid', 'm.uid')
    .leftJoin('read.friendships as f', (join) =>
      join.on('f.uid', '=', reader).onRef('f.friend', '=', 'm.uid'),
    )
    .select(['m.uid', 'm.index', 'u.nickname', 'u.avatar', 'f.remark'])
    .where('m.gid', '=', gid)
    .where('m.index', '>=', page.from)
    .where(sql<boolean>`m.uid <> all (${page.exclude ?? []})`)
    .orderBy('m.index')
    .limit(page.limit)
    .execute();
  return rows.map(({ uid, index, nickname, avatar, remark }) => ({
    uid,
    avatar: userAvatar(avatar),
    nickname,
    name: remark || nickname,
    index,
    remark: remark ?? '',
  }));
}

/** A group's name and picture as the answer to its creation shows them. */
export async function findGroup(
  database: ReadDatabase,
  gid: Gid,
): Promise<{ name: string; avatar: string } | undefined> {
  const row = await database
    .selectFrom('read.groups')
    .select(['name', 'avatar', 'faces'])
    .where('gid', '=', gid)
    .executeTakeFirst();
  return row && { name: row.name, avatar: groupAvatar(row.avatar, row.faces) };
}

/** What `group/detail` shows to a member; undefined if the reader is none. */
export async function findGroupDetail(
  database: ReadDatabase,
  reader: Uid,
  gid: Gid,
  { withMembers, withMentions }: { withMembers: boolean; withMentions: boolean },
): Promise<GroupDetail | undefined> {
  const row = await database
    .selectFrom('read.groups as g')
    .innerJoin('read.group_members as m', 'm.gid', 'g.gid')
    .select(['g.owner', 'g.avatar', 'g.faces', 'g.state', 'g.created', 'g.name', 'm.remark'])
    .where('g.gid', '=', gid)
    .where('m.uid', '=', reader)
    .executeTakeFirst();
  if (!row) return undefined;
  const info = {
    gid,
    uid: row.owner,
    avatar: groupAvatar(row.avatar, row.faces),
    state: row.state,
    timestamp: row.created,
    groupname: row.name,
    remark: row.remark || row.name,
  };
  const [members, at] = await Promise.all([
    withMembers ? findMembers(database, reader, gid, { from: 0, limit: maxMembers }) : undefined,
    withMentions ? findUnreadMentions(database, reader, gid) : undefined,
  ]);
  return {
    info,
    ...(members && {
      members: Object.fromEntries(
        members.map(({ uid, avatar, nickname, remark }) => [String(uid), { uid, avatar, nickname, remark }]),
      ),
    }),
    ...(at && { at }),
  };
}

async function findUnreadMentions(
  database: ReadDatabase,
  reader: Uid,
  gid: Gid,
): Promise<NonNullable<GroupDetail['at']>> {
  const { rows } = await sql<{
    mid: number;
    from: string;
    name: string;
    content: string;
    timestamp: number;
  }>`
    select m.mid, m.sender::text as from, coalesce(nullif(f.remark, ''), u.nickname) as name, m.content, m.timestamp
      from read.group_members g
      left join read.inbox i on i.uid = g.uid and i.conversation = ${groupConversation(gid)}
      join read.messages m on m.conversation = ${groupConversation(gid)}
       and m.sequence > greatest(g.joined_sequence, i.read_sequence) and m.mentions is not null
      join read.users u on u.uid = m.sender
      left join read.friendships f on f.uid = g.uid and f.friend = m.sender
     where g.gid = ${gid} and g.uid = ${reader} and m.state = 'normal' and m.sender <> g.uid
       and (g.uid = any (m.mentions) or 0 = any (m.mentions))
       and not ${deletedFor(reader, sql`m.conversation`, sql`m.sequence`)}
     order by m.sequence desc limit ${maxMentions}`.execute(database);
  return rows;
}
