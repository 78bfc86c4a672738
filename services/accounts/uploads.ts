import { sql } from 'kysely';
import { Refusal } from '../../contracts/codes.ts';
import type { Uid } from '../../contracts/ids.ts';
import type { AccountsDatabase } from './accounts-tables.ts';

/** A file that is about to be stored. */
export interface Upload {
  /** Its path in the file store. */
  readonly path: string;
  /** Who uploads it; undefined: the server's key, for nobody. */
  readonly uid: Uid | undefined;
  /** The name that its sender gave it. */
  readonly name: string;
  readonly bytes: number;
}

/** A file takes whole blocks of the disk, and its record as much: a million files of one byte are 4 GB. */
const blockBytes = 4_096;

/** The bytes that a file counts for. */
const counted = (bytes: number) => Math.max(1, Math.ceil(bytes / blockBytes)) * blockBytes;

/** Remembers what was uploaded, by whom, and under which name; in the database, for all processes. */
export interface Uploads {
  /** The bytes of all uploads of a person, each in whole blocks of 4 KB. */
  usedBy(uid: Uid): Promise<number>;
  /**
   * Records an upload before it is stored, and counts its bytes.
   * @param quotaBytes the bytes that all uploads of one person may take
   * @throws Refusal quotaUsed; nothing is recorded then
   */
  add(upload: Upload, quotaBytes: number): Promise<void>;
  /** Removes the record of an upload that could not be stored. */
  remove(path: string): Promise<void>;
  /** The name of a stored file; undefined if it was stored before names were recorded. */
  nameOf(path: string): Promise<string | undefined>;
  /** Some uploads, the last one first, of one person or of all; with the count and the bytes of all of them. */
  page(of: Uid | undefined, range: { readonly start: number; readonly limit: number }): Promise<UploadsPage>;
}

/** A file that was uploaded. */
export interface RecordedUpload {
  readonly path: string;
  /** Null: the server's key uploaded it, for nobody. */
  readonly uid: number | null;
  readonly name: string;
  readonly bytes: number;
  /** In milliseconds since 1970. */
  readonly uploaded: number;
}

export interface UploadsPage {
  readonly uploads: RecordedUpload[];
  readonly count: number;
  readonly bytes: number;
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
    async add({ path, uid = null, name, bytes }, quotaBytes) {
      // One statement, so that the second of two simultaneous uploads sees what the first counted.
      const { rows } = await sql`
        with upload (path, uid, name, bytes) as (
          values (${path}::text, ${uid}::bigint, ${name}::text, ${bytes}::bigint)
        ), counted as (
          insert into accounts.upload_usage as usage (uid, bytes)
          select uid, ${counted(bytes)}::bigint from upload where uid is not null and ${counted(bytes)} <= ${quotaBytes}::bigint
          on conflict (uid) do update set bytes = usage.bytes + excluded.bytes
          where usage.bytes + excluded.bytes <= ${quotaBytes}
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
        update accounts.upload_usage as usage
        set bytes = usage.bytes - greatest(1, ceil(removed.bytes / ${blockBytes}::numeric)) * ${blockBytes}
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
    async page(of, { start, limit }) {
      const table = database.selectFrom('accounts.uploads');
      const all = of === undefined ? table : table.where('uid', '=', of);
      const [rows, sums] = await Promise.all([
        all
          .select(['path', 'uid', 'name', 'bytes', 'uploaded'])
          .orderBy('uploaded', 'desc')
          .orderBy('path')
          .offset(start)
          .limit(limit)
          .execute(),
        all
          .select(({ fn }) => [fn.countAll<string>().as('count'), fn.sum<string | null>('bytes').as('bytes')])
          .executeTakeFirst(),
      ]);
      const uploads = rows.map(({ path, uid, name, bytes, uploaded }) => ({
        ...{ path, uid: uid === null ? null : Number(uid), name, bytes: Number(bytes) },
        uploaded: uploaded.getTime(),
      }));
      return { uploads, count: Number(sums?.count ?? 0), bytes: Number(sums?.bytes ?? 0) };
    },
  };
}
