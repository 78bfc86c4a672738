import type { Client } from 'pg';
import type { FollowingFault } from '../log/following-fault.ts';
import type { Position, RecordedEvent } from '../log/log.ts';
import type { Purpose } from '../postgres/connect.ts';
import type { Held } from './lease.ts';
import type { Misfit } from './log-match.ts';

/** What a follower begins with each time it acquires its lease. */
export interface Beginning {
  /** The connection that batches are committed over, of the task's `session`. */
  readonly client: Client;
  /** Opens another connection of that session, which ends with it. @throws what `pg` throws */
  connect(): Promise<Client>;
  readonly held: Held;
}

/** Applies the log from the checkpoint on, until the lease is lost or something fails. */
export interface Handler {
  /**
   * Applies records in the order of the log, strictly after all before, each transaction with its `advance`
   * (services/followers/checkpoint.ts). What it throws ends the handler; the next one begins from the checkpoint.
   * @param committed to be called after each transaction
   */
  apply(
    records: readonly RecordedEvent[],
    committed: (checkpoint: Position, events: number) => void,
  ): Promise<void>;
  /** How long to rest after a batch that took `tookMs`, for the good of others; not at all by default. */
  restMs?(tookMs: number): Promise<number>;
  /** What is done beside it while the follower works, until the signal; it must not throw. */
  beside?(signal: AbortSignal): Promise<void>;
}

/** What keeps a follower from going on, which trying again does not mend. */
export interface Obstacle extends FollowingFault {
  /** Settles once it is worth trying again, or at the signal. */
  removed(signal: AbortSignal): Promise<void>;
}

/** A task has changed its own checkpoint while it began: it is begun again from there. */
export class BeginAgain extends Error {
  override readonly name = 'BeginAgain';
}

/** What one kind of follower does with the log. It knows nothing of leases and connections. */
export interface Task {
  /** Names its lease and its checkpoint: rows of followers.lease and followers.checkpoint. */
  readonly name: string;
  /** What it is called in the log of the program. */
  readonly part: string;
  /** The beginnings of the names of the streams that it follows. */
  readonly prefixes: readonly string[];
  /** The session that its batches are committed over. */
  readonly session: Purpose;
  /** Empties what it made of a log that changed: see `MatchOptions.reset`. */
  reset(client: Client, misfit: Misfit): Promise<void>;
  /** Called each time the lease is acquired and the log matches. @throws BeginAgain */
  begin(beginning: Beginning): Promise<Handler>;
  /** The obstacle that an error of the handler names; undefined if trying again may help. */
  obstacleOf?(error: unknown): Obstacle | undefined;
}
