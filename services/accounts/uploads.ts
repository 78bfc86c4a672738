import { sql } from 'kysely';
import { Refusal } from '../../contracts/codes.ts';
import type { Uid } from '../../contracts/ids.ts';
import type { AccountsDatabase } from './tables.ts';

/** A file that is about to be stored. */
export interface Upload {
  /** Where it is stored. */
  readonly path: string;
  /** Who uploads it; undefined if the server's key does so for nobody. */
  readonly uid: Uid | undefined;
  /** As its sender calls it. */
  readonly name: string;
  readonly bytes: number;
}

/** Remembers what was uploaded, by whom, and under which name. Restarts and other processes share it. */
export interface Uploads {
  /** The bytes that all uploads of a person take. */
  usedBy(uid: Uid): Promise<number>;
  /**
   * Records an upload, before it is stored, and counts its bytes.
   * @param quota the bytes that all uploads of one person may take
   * @throws Refusal quotaUsed; nothing is recorded then
   */
  add(upload: Upload, quota: number): Promise<void>;
  /** Takes back an upload that could not be stored. */
  remove(path: string): Promise<void>;
  /** The name of a stored file; undefined if it was stored before names were recorded. */
  nameOf(path: string): Promise<string | undefined>;
}

export function createUploads(database: AccountsDatabase): Uploads {
  return {
    async usedBy(uid) {
      const row = await database
        .selectFrom('accounts.upload_usage')
        .select('bytes')
        .where('uid', '=', uid)
        .executeTakeFirst();
      return Number(row?.bytes ?? 0);
    },
    async add({ path, uid = null, name, bytes }, quota) {
      // One statement, so that of two uploads at once the second sees what the first counted.
      const { rows } = await sql`
        with upload (path, uid, name, bytes) as (
          values (${path}::text, ${uid}::bigint, ${name}::text, ${bytes}::bigint)
        ), counted as (
          insert into accounts.upload_usage as usage (uid, bytes)
          select uid, bytes from upload where uid is not null and bytes <= ${quota}
          on conflict (uid) do update set bytes = usage.bytes + excluded.bytes
          where usage.bytes + excluded.bytes <= ${quota}
          returning uid
        )
        insert into accounts.uploads (path, uid, name, bytes)
        select path, uid, name, bytes from upload where uid is null or exists (select from counted)
        returning path`.execute(database);
      if (rows.length === 0) throw new Refusal('quotaUsed');
    },
    async remove(path) {
      await sql`
        with removed as (delete from accounts.uploads where path = ${path} returning uid, bytes)
        update accounts.upload_usage as usage set bytes = usage.bytes - removed.bytes
        from removed where usage.uid = removed.uid`.execute(database);
    },
    async nameOf(path) {
      const row = await database
        .selectFrom('accounts.uploads')
        .select('name')
        .where('path', '=', path)
        .executeTakeFirst();
      return row?.name;
    },
  };
}
