import type { EventId, Position, StreamName } from '../../log/log.ts';
import type { EventKey } from '../../log/skips.ts';
import { int8s, type Statement, texts, uuids } from '../../postgres/pipeline.ts';
import { auditedType } from '../tree/audited-type.ts';
import type { FalseRepeat } from './repeats.ts';
import type { Queries } from './search.ts';

/*
 * audit.repeats: the events under the ids of others that the auditor has met, and that no decision skips. The auditor writes
 * it in the transactions in which it moves its checkpoint, so that it is of the same events as the index.
 */

/** How many are named. */
const maxNamed = 100;

const columns = 'position, stream, revision, first, id, type, recorded';

/** A row of audit.repeats as `pg` gives it: numbers of 8 bytes are texts. */
export interface StoredRepeat {
  readonly position: Position;
  readonly stream: StreamName;
  readonly revision: string;
  readonly first: string;
  readonly id: EventId;
  readonly type: string;
  readonly recorded: string;
}

/** The row of an event that has the id of another. */
export function repeatRowOf({ event, first }: FalseRepeat): StoredRepeat {
  const { position, stream, revision, id, type, recorded } = event;
  return {
    ...{ position, stream, id, type: auditedType(type) },
    ...{ revision: String(revision), first: String(first), recorded: String(recorded) },
  };
}

/** Adds events that have the ids of others. */
export function insertRepeats(found: readonly FalseRepeat[]): Statement {
  return {
    name: 'audit repeats',
    text: `insert into audit.repeats (${columns})
      select * from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::uuid[], $6::text[], $7::bigint[])
      on conflict (position) do nothing`,
    values: [
      texts(found.map(({ event }) => event.position)),
      texts(found.map(({ event }) => event.stream)),
      int8s(found.map(({ event }) => event.revision)),
      int8s(found.map(({ first }) => first)),
      uuids(found.map(({ event }) => event.id)),
      texts(found.map(({ event }) => auditedType(event.type))),
      int8s(found.map(({ event }) => event.recorded)),
    ],
  };
}

/** Removes what decisions skip: the event of an id at a revision, and those behind it (`Skips`). */
export function deleteSkippedRepeats(skipped: readonly EventKey[]): Statement {
  return {
    name: 'audit skipped repeats',
    text: `delete from audit.repeats using unnest($1::text[], $2::uuid[], $3::bigint[]) skipped (stream, id, revision)
      where repeats.stream = skipped.stream and repeats.id = skipped.id and repeats.revision >= skipped.revision`,
    values: [
      texts(skipped.map(({ stream }) => stream)),
      uuids(skipped.map(({ id }) => id)),
      int8s(skipped.map(({ revision }) => revision)),
    ],
  };
}

/**
 * The first hundred audited events that the table says to have the ids of others. `falseRepeats` tells those of which that is
 * so. @throws what `pg` throws
 */
export async function storedRepeats(queries: Queries): Promise<FalseRepeat[]> {
  if (!(await isThere(queries))) return [];
  const { rows } = await queries.query<StoredRepeat>(
    `select ${columns} from audit.repeats order by position limit $1`,
    [maxNamed],
  );
  return rows.map(({ revision, first, recorded, ...row }) => ({
    event: { ...row, revision: Number(revision), recorded: Number(recorded) },
    first: Number(first),
  }));
}

/** All rows, in the order of the log. @throws what `pg` throws */
export async function allStoredRepeats(queries: Queries): Promise<StoredRepeat[]> {
  const { rows } = await queries.query<StoredRepeat>(
    `select ${columns} from audit.repeats order by position`,
    [],
  );
  return rows;
}

/**
 * The streams with audited events that have the ids of others: the index knows what the first events of these ids concern, and not
 * these. @throws what `pg` throws
 */
export async function streamsOfRepeats(queries: Queries): Promise<StreamName[]> {
  if (!(await isThere(queries))) return [];
  const { rows } = await queries.query<{ stream: StreamName }>(
    'select distinct stream from audit.repeats order by stream',
    [],
  );
  return rows.map(({ stream }) => stream);
}

/** Commands that ask the past take tables of an older version as they are. */
async function isThere(queries: Queries): Promise<boolean> {
  const { rows } = await queries.query<{ there: boolean }>(
    `select to_regclass('audit.repeats') is not null as there`,
    [],
  );
  return rows[0]?.there === true;
}
