import { deserialize, serialize } from 'node:v8';
import type pg from 'pg';
import type { EventId, StreamName } from '../log/log.ts';

/** A folded state of a stream. */
export interface StoredState {
  readonly state: unknown;
  /** Revision and id of the last folded event; the id shows whether the log still contains it. */
  readonly revision: number;
  readonly eventId: EventId;
  /** How many of the stream's events were skipped by an operator's decision. */
  readonly skipped: number;
}

/** Stores folded states, so that a long stream is not folded from its beginning. */
export interface Snapshots {
  /** The stream's snapshot if it was made by this version of the fold. */
  find(stream: StreamName, version: number): Promise<StoredState | undefined>;
  /** Replaces the stream's snapshot. The state is serialised during the call. */
  keep(stream: StreamName, version: number, stored: StoredState): Promise<void>;
  /** Deletes the stream's snapshot. */
  drop(stream: StreamName): Promise<void>;
}

/**
 * Snapshots in a table that may be emptied at any time. A state is serialised as a structured clone, which
 * supports maps; one that a later Node cannot read is treated as missing.
 */
export function createSnapshots(pool: Pick<pg.Pool, 'query'>): Snapshots {
  return {
    async find(stream, version) {
      const { rows } = await pool.query<{
        revision: string | number;
        event_id: EventId;
        skipped: number;
        state: Buffer;
      }>(
        'select revision, event_id, skipped, state from folds.snapshots where stream = $1 and version = $2',
        [stream, version],
      );
      const [row] = rows;
      if (!row) return undefined;
      const { revision, event_id: eventId, skipped } = row;
      try {
        return { state: deserialize(row.state), revision: Number(revision), eventId, skipped };
      } catch {
        return undefined;
      }
    },
    async drop(stream) {
      await pool.query('delete from folds.snapshots where stream = $1', [stream]);
    },
    async keep(stream, version, { state, revision, eventId, skipped }) {
      await pool.query(
        `insert into folds.snapshots (stream, version, revision, event_id, skipped, state)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (stream) do update set version = excluded.version, revision = excluded.revision,
           event_id = excluded.event_id, skipped = excluded.skipped, state = excluded.state`,
        [stream, version, revision, eventId, skipped, serialize(state)],
      );
    },
  };
}
