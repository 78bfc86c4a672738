import type { Client } from 'pg';
import { readModels } from '../../services/read-models/read-models.ts';

/** The schemas of read models: those that are served, those being filled, those that were served before a rebuild. */
export const currentSchema = 'read';
export const nextSchema = 'read_next';
export const formerSchema = 'read_former';

/** The follower that fills the next set. */
export const nextFollower = 'read-next';

/** All read models, with their primary keys. */
export const models: readonly { readonly name: string; readonly key: readonly string[] }[] =
  Object.values(readModels);

/** The tables of a set, for a statement that names them all. */
export function tablesOf(schema: string): string {
  return models.map(({ name }) => `${schema}.${name}`).join(', ');
}

/** Runs statements in one transaction. */
export async function inTransaction<Result>(client: Client, run: () => Promise<Result>): Promise<Result> {
  await client.query('begin');
  try {
    const result = await run();
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}
