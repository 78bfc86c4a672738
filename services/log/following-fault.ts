import type { Position } from './log.ts';

/** Why what is made of the log does not follow it. */
export interface FollowingFault {
  readonly reason: string;
  /** The event before which it stops; none if the log is another installation's. */
  readonly position?: Position;
}
