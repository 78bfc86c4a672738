import type { Client } from 'pg';
import type { Position } from '../../services/log/log.ts';
import { readModels } from '../../services/read-models/read-models.ts';

/** The schemas of read models: those that are served, those that were served before a rebuild. */
export const currentSchema = 'read';
export const formerSchema = 'read_former';

/** A set of read models that is filled from the log beside those that are served. */
export interface FilledSet {
  readonly schema: string;
  /** The follower that fills it. */
  readonly follower: string;
  /** With what the names of the connections begin that fill it and read it. */
  readonly connections: string;
}

/** What a rebuild fills, and serves then. One that was interrupted is filled on. */
export const nextSet: FilledSet = {
  schema: 'read_next',
  follower: 'read-next',
  connections: 'bubble-im rebuild',
};

/** What a check fills, and drops then: never the rest of something earlier, whose rows may have been changed. */
export const checkSet: FilledSet = {
  schema: 'read_check',
  follower: 'read-check',
  connections: 'bubble-im verify',
};

/** How long a statement on a filled set may take: to make the indexes of a large table, or to compare all rows, takes long. */
export const filledSetTimeoutMs = 3_600_000;

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
