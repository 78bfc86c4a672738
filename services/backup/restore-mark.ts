import type { Client } from 'pg';
import { inTransaction } from '../postgres/transaction.ts';

/*
 * A table that exists only while a restore is under way, or after one was interrupted, so that no program starts on
 * half of an installation. It is made before anything else is written, and dropped at the end.
 */

/** A restore that was begun and has not come to its end. */
export interface RestoreMark {
  /** The id of the backup. */
  readonly backup: string;
  /** Whether the tables are loaded. */
  readonly loaded: boolean;
}

/** The mark of a database; undefined if no restore was begun. @throws what `pg` throws */
export async function readRestoreMark(client: Pick<Client, 'query'>): Promise<RestoreMark | undefined> {
  const { rows } = await client.query<{ there: boolean }>(
    `select to_regclass('restore.state') is not null as there`,
  );
  if (!rows[0]?.there) return undefined;
  const state = await client.query<RestoreMark>('select backup, loaded from restore.state');
  return state.rows[0];
}

/** @throws Error with a message for the operator, if a restore was interrupted in this database */
export async function mustNotBeHalfRestored(client: Pick<Client, 'query'>): Promise<void> {
  if ((await readRestoreMark(client)) === undefined) return;
  throw new Error(
    'a restore of a backup into it is under way or was interrupted: run the same npm run restore again, which goes on, ' +
      'or give an empty database',
  );
}

/** Marks the beginning of a restore. */
export async function beginRestore(client: Client, backup: string): Promise<RestoreMark> {
  await inTransaction(client, async () => {
    await client.query('create schema restore');
    await client.query('create table restore.state (backup text not null, loaded boolean not null)');
    await client.query('insert into restore.state (backup, loaded) values ($1, false)', [backup]);
  });
  return { backup, loaded: false };
}

/** Marks that the tables are loaded, in the transaction that loads them. */
export async function markLoaded(client: Client): Promise<void> {
  await client.query('update restore.state set loaded = true');
}

/** Marks the end of a restore. */
export async function endRestore(client: Client): Promise<void> {
  await client.query('drop schema restore cascade');
}
