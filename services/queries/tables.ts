import { Kysely, PostgresDialect } from 'kysely';
import type pg from 'pg';
import { preparing } from '../postgres/prepared-queries.ts';
import type { RowOf } from '../read-models/read-model.ts';
import type { readModels } from '../read-models/read-models.ts';

type ReadModels = (typeof readModels)[keyof typeof readModels];

/** The read models as queries see them, and the projector's checkpoint. */
export type ReadTables = {
  [Model in ReadModels as `read.${Model['name']}`]: RowOf<Model>;
} & {
  'followers.checkpoint': {
    name: string;
    position: string;
    event_id: string | null;
    batch: number;
    fence: number;
    installation: string | null;
    epoch: string;
    quiet_until: string;
    fault: string | null;
    fault_position: string | null;
  };
};

export type ReadDatabase = Kysely<ReadTables>;

/** Typed queries on the read models over the program's pool. */
export function readDatabase(pool: pg.Pool): ReadDatabase {
  return new Kysely<ReadTables>({ dialect: new PostgresDialect({ pool: preparing(pool) }) });
}
