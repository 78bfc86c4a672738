import { sql } from 'kysely';
import type { Gid, Uid } from '../../contracts/ids.ts';
import type { ReadDatabase } from './tables.ts';

/** A deletion of an account that is under way. */
export interface Deletion {
  readonly uid: Uid;
  /** In seconds since 1970. */
  readonly begun: number;
}

/** Up to `limit` deletions under way, the oldest first. */
export async function findDeletions(database: ReadDatabase, limit: number): Promise<Deletion[]> {
  return database
    .selectFrom('read.deletions')
    .select(['uid', 'begun'])
    .orderBy('begun')
    .orderBy('uid')
    .limit(limit)
    .execute();
}

/** With whom a person is a friend or has an open application, and in which groups they are or are invited to. */
export interface Ties {
  readonly people: readonly Uid[];
  readonly groups: readonly Gid[];
}

/** Up to `limit` ties of each kind of a person. */
export async function findTies(database: ReadDatabase, uid: Uid, limit: number): Promise<Ties> {
  const people = await sql<{ uid: Uid }>`
    select friend as uid from read.friendships where uid = ${uid}
    union
    select applicant from read.applications
     where recipient = ${uid} and operation = 'not_operated' and gid is null
    union
    select recipient from read.applications
     where applicant = ${uid} and operation = 'not_operated' and gid is null
    limit ${limit}`.execute(database);
  const groups = await sql<{ gid: Gid }>`
    select gid from read.group_members where uid = ${uid}
    union
    select gid from read.applications
     where recipient = ${uid} and operation = 'not_operated' and gid is not null
    limit ${limit}`.execute(database);
  return { people: people.rows.map((row) => row.uid), groups: groups.rows.map((row) => row.gid) };
}

/** Up to `limit` people whose accounts were deleted and whose names are not free, as after a failover to an older copy. */
export async function findDeletedWithNames(database: ReadDatabase, limit: number): Promise<Uid[]> {
  const { rows } = await sql<{ uid: Uid }>`
    select u.uid from read.users u join accounts.accounts a using (uid)
     where u.account_state = 'deleted' and not a.deleted limit ${limit}`.execute(database);
  return rows.map((row) => row.uid);
}
