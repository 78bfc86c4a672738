import { deserialize, serialize } from 'node:v8';
import type pg from 'pg';
import type { EventId, StreamName } from '../log/log.ts';

/** The state of a stream as it was folded once. */
export interface StoredState {
  readonly state: unknown;
  /** Of the last event that was folded: its revision, and its id, by which another log is noticed. */
  readonly revision: number;
  readonly eventId: EventId;
  /** How many of the stream's events were passed over by an operator's decision. */
  readonly skipped: number;
}

/** Where folded states are kept, so that a long stream is not folded from its beginning. */
export interface Snapshots {
  /** The last one kept of a stream, made by the fold of this version; undefined where there is none. */
  find(stream: StreamName, version: number): Promise<StoredState | undefined>;
  /** Keeps one in place of the last. The state is taken as it is at the time of the call. */
  keep(stream: StreamName, version: number, stored: StoredState): Promise<void>;
  /** Deletes what is kept of a stream. */
  drop(stream: StreamName): Promise<void>;
}

/**
 * Snapshots in a table that can be emptied at any time. A state is written as the structured clone of
 * JavaScript, which has maps; what a later Node cannot read is as if it were not there.
 */
export function createSnapshots(pool: pg.Pool): Snapshots {
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
