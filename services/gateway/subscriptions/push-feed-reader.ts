import type { PushRow } from '../../../contracts/push/row.ts';
import type { Checkpoint } from '../../pushes/checkpoint.ts';

/** What the feed calls with the pushes of the log. */
export interface PushFeedReader {
  /** The next rows follow on this checkpoint: at the start, and after the log began another epoch. */
  begin(checkpoint: Checkpoint): void;
  /** Committed rows, in the order of the log, each once. */
  deliver(rows: readonly PushRow[]): void;
  /** All rows up to the present position have been delivered. */
  advanced(): void;
  /** Pushes and signals may have been lost. The feed delivers the lost pushes after this resolves. */
  gapFound(): Promise<void>;
  /** The log began another epoch: positions that were delivered so far mean nothing in it. */
  logRestored(): void;
}
