import { sql } from 'kysely';
import { userAvatar } from '../../contracts/avatars.ts';
import type { Contact, ContactList, FriendApplication } from '../../contracts/http/friend.ts';
import type { ApplicationId, Gid, Uid } from '../../contracts/ids.ts';
import { isListed } from './inbox.ts';
import { byInitial, initialOf } from './initials.ts';
import type { ListPage } from './list-page.ts';
import type { ReadPresence } from './people.ts';
import type { ReadDatabase } from './tables.ts';

interface Person {
  readonly uid: Uid;
  readonly avatar: string;
  /** The remark, else the nickname. */
  readonly name: string;
  readonly is_member: boolean;
}

/** A page of a person's friends in the order of their uids, by initial. */
export async function findContacts(
  database: ReadDatabase,
  presence: ReadPresence,
  uid: Uid,
  { limit, start }: ListPage,
): Promise<ContactList> {
  const { rows } = await sql<Person>`
    select u.uid, u.avatar, coalesce(nullif(f.remark, ''), u.nickname) as name, u.is_member
      from read.friendships f join read.users u on u.uid = f.friend
     where f.uid = ${uid} order by u.uid limit ${limit} offset ${start}`.execute(database);
  return contactList(rows, presence);
}

/** A page of the people in a person's list of chats who are no friends, in the order of their uids, by initial. */
export async function findTemporaryContacts(
  database: ReadDatabase,
  presence: ReadPresence,
  uid: Uid,
  { limit, start }: ListPage,
): Promise<ContactList> {
  const { rows } = await sql<Person>`
    select u.uid, u.avatar, u.nickname as name, u.is_member
      from read.inbox i
      left join read.conversations c using (conversation)
      join read.users u on u.uid = i.party
     where i.uid = ${uid} and i.conversation < 'g' and ${isListed}
       and not exists (select from read.friendships f where f.uid = i.uid and f.friend = u.uid)
     order by u.uid limit ${limit} offset ${start}`.execute(database);
  return contactList(rows, presence);
}

async function contactList(people: readonly Person[], presence: ReadPresence): Promise<ContactList> {
  const online = await presence(people.map(({ uid }) => uid));
  const contacts = people.map(
    ({ uid, avatar, name, is_member }): Contact => ({
      uid,
      avatar: userAvatar(avatar),
      state: online.get(uid)?.state ?? 'offline',
      name,
      initials: initialOf(name),
      is_member: is_member ? 1 : 0,
    }),
  );
  return byInitial(contacts);
}

function applications(database: ReadDatabase, recipient: Uid) {
  return database
    .selectFrom('read.applications as a')
    .innerJoin('read.users as u', 'u.uid', 'a.applicant')
    .leftJoin('read.groups as g', 'g.gid', 'a.gid')
    .select(['a.application_id', 'a.applicant', 'a.postscript', 'a.operation', 'a.timestamp'])
    .select(['u.nickname', 'u.username', 'u.avatar', 'a.gid', 'g.name as group_name'])
    .where('a.recipient', '=', recipient);
}

type ApplicationRow = Awaited<ReturnType<ReturnType<typeof applications>['execute']>>[number];

function shownApplication(row: ApplicationRow, recipient: Uid): FriendApplication {
  return {
    nid: row.application_id,
    from: row.applicant,
    to: recipient,
    type: row.gid === null ? 'add_friend' : 'join_group',
    data: JSON.stringify({
      postscript: row.postscript,
      ...(row.gid === null ? {} : { gid: row.gid, groupname: row.group_name ?? '' }),
    }),
    operation: row.operation,
    timestamp: row.timestamp,
    nickname: row.nickname,
    avatar: userAvatar(row.avatar),
  };
}

/** A page of the applications that a person received, newest first. */
export async function findApplications(
  database: ReadDatabase,
  recipient: Uid,
  { limit, start }: ListPage,
): Promise<FriendApplication[]> {
  const rows = await applications(database, recipient)
    .orderBy('a.timestamp', 'desc')
    .orderBy('a.application_id', 'desc')
    .limit(limit)
    .offset(start)
    .execute();
  return rows.map((row) => shownApplication(row, recipient));
}

/** An application that a person received. If its id was given twice, an open one comes first. */
export async function findApplication(
  database: ReadDatabase,
  recipient: Uid,
  applicationId: ApplicationId,
): Promise<(FriendApplication & { from: Uid; username: string; gid: Gid | null }) | undefined> {
  const row = await applications(database, recipient)
    .where('a.application_id', '=', applicationId)
    .orderBy(sql`a.operation <> 'not_operated'`)
    .executeTakeFirst();
  return (
    row && { ...shownApplication(row, recipient), from: row.applicant, username: row.username, gid: row.gid }
  );
}

/** How many applications that a person received are not answered. */
export async function countOpenApplications(database: ReadDatabase, recipient: Uid): Promise<number> {
  const { count } = await database
    .selectFrom('read.applications')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('recipient', '=', recipient)
    .where('operation', '=', 'not_operated')
    .executeTakeFirstOrThrow();
  return count;
}
