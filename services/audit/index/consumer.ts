import type { Client } from 'pg';
import type { RecordedEvent } from '../../log/log.ts';
import type { Statement } from '../../postgres/pipeline.ts';

/** An event with its number in the index: 0, 1, 2 … in the order of the log. */
export interface NumberedRecord {
  readonly number: number;
  /** As the log gave it, also if this program cannot read it. */
  readonly record: RecordedEvent;
}

/**
 * What is made of the log together with the index, in the same transactions, as a Merkle tree. Its tables hold
 * exactly the events that the index holds.
 */
export interface IndexConsumer {
  /** Empties what it made, in the transaction under way: the index is made again from the beginning. */
  reset(client: Client): Promise<void>;
  /**
   * Called when the auditor begins to work, and after each failure.
   * @param next the number of the first event to come
   * @returns undefined if it lacks events before `next`: the index is then made again, together with it
   */
  begin(client: Client, next: number): Promise<ConsumerSession | undefined>;
}

export interface ConsumerSession {
  /**
   * Statements to be committed together with these events, which follow on all before. Their names must not be those
   * of other statements. After an error or a failed commit the session is used no more.
   */
  extend(events: readonly NumberedRecord[]): readonly Statement[] | Promise<readonly Statement[]>;
  /** Called after the commit of what `extend` gave last. */
  committed?(): void;
}
