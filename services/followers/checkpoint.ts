import type { EventId, Position } from '../log/log.ts';
import type { Statement } from '../postgres/pipeline.ts';
import { sqlState } from '../postgres/sql-state.ts';

/** From where to where a batch moves a follower's checkpoint. */
export interface Advance {
  /** The follower's name. */
  readonly name: string;
  /** The fencing number of the lease under which the batch is committed. */
  readonly fence: number;
  readonly from: Position;
  readonly to: Position;
  /** The id of the event at `to`. */
  readonly id: EventId;
  /** The number of the commit: one more each time. */
  readonly batch: number;
}

/**
 * The first statement of a batch's transaction: it moves the checkpoint, or fails the whole transaction if another
 * process has acquired the lease or has moved the checkpoint.
 */
export function advance({ name, fence, from, to, id, batch }: Advance): Statement {
  return {
    name: 'advance',
    text: 'select followers.advance($1, $2, $3, $4, $5, $6)',
    values: [name, from, fence, to, id, batch],
  };
}

/** Whether a transaction failed because another process has gone on from the checkpoint. */
export function isOvertaken(error: unknown): boolean {
  return sqlState(error) === 'BI001';
}
