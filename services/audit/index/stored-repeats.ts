import type { EventId, Position, StreamName } from '../../log/log.ts';
import type { EventKey } from '../../log/skips.ts';
import type { ReadingDatabase } from '../../postgres/database.ts';
import { int8s, type Statement, texts, uuids } from '../../postgres/pipeline.ts';
import type { FalseRepeat } from './repeats.ts';

/*
 * audit.repeats: the events under the ids of others that the auditor has met, and that no decision skips. The auditor writes
 * it in the transactions in which it moves its checkpoint, so that it is of the same events as the index.
 */

/** How many are named. */
const maxNamed = 100;

/** Adds events that have the ids of others. */
export function insertRepeats(found: readonly FalseRepeat[]): Statement {
  return {
    name: 'audit repeats',
    text: `insert into audit.repeats (position, stream, revision, first, id, type, recorded)
      select * from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::uuid[], $6::text[], $7::bigint[])
      on conflict (position) do nothing`,
    values: [
      texts(found.map(({ event }) => event.position)),
      texts(found.map(({ event }) => event.stream)),
      int8s(found.map(({ event }) => event.revision)),
      int8s(found.map(({ first }) => first)),
      uuids(found.map(({ event }) => event.id)),
      texts(found.map(({ event }) => event.type)),
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

/** The first hundred audited events that have the ids of others. @throws what `pg` throws */
export async function storedRepeats(database: ReadingDatabase): Promise<FalseRepeat[]> {
  const { rows } = await database.query<{
    position: Position;
    stream: StreamName;
    revision: string | number;
    first: string | number;
    id: EventId;
    type: string;
    recorded: string | number;
  }>(
    `select position, stream, revision, first, id, type, recorded from audit.repeats order by position limit $1`,
    [maxNamed],
  );
  return rows.map(({ revision, first, recorded, ...row }) => ({
    event: { ...row, revision: Number(revision), recorded: Number(recorded) },
    first: Number(first),
  }));
}
