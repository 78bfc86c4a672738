import { randomInt } from 'node:crypto';
import { Gid, type Uid } from '../../contracts/ids.ts';
import type { AccountsDatabase } from './accounts-tables.ts';

/** The group of a person's uniqueId, and the hash of the request that created it. */
export interface GroupClaim {
  readonly gid: Gid;
  readonly requestHash: string;
}

/** Remembers for ever which group was created under a person's uniqueId. */
export interface CreatedGroups {
  /** The claim of a uniqueId, if there is one. */
  findGroup(uid: Uid, uniqueId: string): Promise<GroupClaim | undefined>;
  /**
   * Claims `gid` for the uniqueId before the group is created; a repeat gets the first claim. The caller compares
   * the hashes, and creates the stream expecting none.
   */
  claimGroup(uid: Uid, uniqueId: string, gid: Gid, requestHash: string): Promise<GroupClaim>;
  /**
   * Replaces `taken`, whose stream turned out to be another person's group, by `gid`.
   * @returns the current claim: of two that replace it at the same moment, the first wins
   */
  replaceGroup(uid: Uid, uniqueId: string, taken: Gid, gid: Gid): Promise<GroupClaim>;
}

/** A random 9-digit gid. It is unique once its stream was created expecting none. */
export function randomGid(): Gid {
  return Gid.parse(randomInt(100_000_000, 1_000_000_000));
}

export function createCreatedGroups(database: AccountsDatabase): CreatedGroups {
  async function findGroup(uid: Uid, uniqueId: string): Promise<GroupClaim | undefined> {
    const row = await database
      .selectFrom('accounts.created_groups')
      .select(['gid', 'request_hash'])
      .where('uid', '=', uid)
      .where('unique_id', '=', uniqueId)
      .executeTakeFirst();
    return row && { gid: Gid.parse(Number(row.gid)), requestHash: row.request_hash };
  }

  return {
    findGroup,
    async claimGroup(uid, uniqueId, gid, requestHash) {
      const row = await database
        .insertInto('accounts.created_groups')
        .values({ uid, unique_id: uniqueId, gid, request_hash: requestHash })
        // An update that changes nothing: without it the existing row would not be returned.
        .onConflict((conflict) =>
          conflict.columns(['uid', 'unique_id']).doUpdateSet((row) => ({ uid: row.ref('excluded.uid') })),
        )
        .returning(['gid', 'request_hash'])
        .executeTakeFirstOrThrow();
      return { gid: Gid.parse(Number(row.gid)), requestHash: row.request_hash };
    },
    async replaceGroup(uid, uniqueId, taken, gid) {
      await database
        .updateTable('accounts.created_groups')
        .set({ gid })
        .where('uid', '=', uid)
        .where('unique_id', '=', uniqueId)
        .where('gid', '=', taken)
        .execute();
      const claim = await findGroup(uid, uniqueId);
      if (!claim) throw new Error(`the uniqueId of a group of ${uid} has no claim`);
      return claim;
    },
  };
}
