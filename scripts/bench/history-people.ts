import type { Client } from 'pg';

/** A person of a history, with what makes their calls dear. */
export interface PersonOfHistory {
  readonly uid: number;
  /** The friend with whom they have talked most. */
  readonly friend: number;
  /** Their largest group. */
  readonly gid: number;
  readonly friends: number;
  readonly groups: number;
  readonly chats: number;
  /** Of that group. */
  readonly members: number;
}

const select = `
  with member as (
    select m.uid, count(*)::int as groups, max(g.member_count)::int as members,
           (array_agg(g.gid::int order by g.member_count desc, g.gid))[1] as gid
      from read.group_members m join read.groups g using (gid) where g.state = 'normal' group by m.uid
  ), friend as (
    select f.uid, count(*)::int as friends,
           (array_agg(f.friend::int order by c.sequence desc, f.friend))[1] as friend
      from read.friendships f
      join read.users u on u.uid = f.friend and u.account_state = 'normal'
      join read.conversations c
        on c.conversation = 'f' || least(f.uid, f.friend) || '-' || greatest(f.uid, f.friend)
     group by f.uid
  ), chat as (
    select uid, count(*)::int as chats from read.inbox group by uid
  )
  select u.uid::int, friend, gid, friends, groups, chats, members
    from read.users u join member using (uid) join friend using (uid) join chat using (uid)
   where u.account_state = 'normal' order by u.uid`;

/** Everybody who has a friend, a group and chats. */
export async function peopleOf(client: Pick<Client, 'query'>): Promise<PersonOfHistory[]> {
  return (await client.query<PersonOfHistory>(select)).rows;
}

/** Two people of the same kind, one of each history. */
export interface Twins {
  readonly short: PersonOfHistory;
  readonly long: PersonOfHistory;
}

/** For each person of the short history the one of the long history who has most nearly as much. */
export function twinsOf(short: readonly PersonOfHistory[], long: readonly PersonOfHistory[]): Twins[] {
  const left = new Set(long);
  return short.flatMap((person) => {
    let nearest: PersonOfHistory | undefined;
    for (const other of left) {
      if (nearest === undefined || distance(person, other) < distance(person, nearest)) nearest = other;
    }
    if (nearest === undefined) return [];
    left.delete(nearest);
    return { short: person, long: nearest };
  });
}

/** How different they are: by the ratios of what they have. */
function distance(one: PersonOfHistory, other: PersonOfHistory): number {
  const kinds = ['friends', 'groups', 'chats', 'members'] as const;
  return kinds.reduce((sum, kind) => sum + Math.abs(Math.log((one[kind] + 1) / (other[kind] + 1))), 0);
}
