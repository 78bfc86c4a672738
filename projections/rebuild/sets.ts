import type { Client } from 'pg';
import type { Position } from '../../services/log/log.ts';
import { readModels } from '../../services/read-models/read-models.ts';

/** The schemas of read models: those that are served, those being filled, those that were served before a rebuild. */
export const currentSchema = 'read';
export const nextSchema = 'read_next';
export const formerSchema = 'read_former';

/** The follower that fills the next set. */
export const nextFollower = 'read-next';

/**
 * Up to where the current set shows the log.
 * @param hold whether the projector is to commit nothing until the transaction under way ends
 */
export async function currentPosition(client: Client, hold = false): Promise<Position> {
  const { rows } = await client.query<{ position: Position }>(
    `select position from followers.checkpoint where name = 'read'${hold ? ' for update' : ''}`,
  );
  const [row] = rows;
  if (!row) throw new Error('the read models have no checkpoint: the database is not migrated');
  return row.position;
}

/** All read models, with their primary keys. */
export const models: readonly { readonly name: string; readonly key: readonly string[] }[] =
  Object.values(readModels);

/** The tables of a set, for a statement that names them all. */
export function tablesOf(schema: string): string {
  return models.map(({ name }) => `${schema}.${name}`).join(', ');
}
