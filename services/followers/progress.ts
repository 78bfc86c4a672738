import type { FollowingFault } from '../log/following-fault.ts';
import { type Position, startOfLog } from '../log/log.ts';
import { Pace } from './pace.ts';

/** How far a follower is. */
export interface FollowerStatus {
  /** Whether it is the one that works; false while it stands by, or has stopped. */
  readonly active: boolean;
  /** Its checkpoint, as far as it knows. */
  readonly checkpoint: Position;
  /** For how long it has had work without committing, in milliseconds; 0 if it has none. */
  readonly stalled: number;
  /** How many events it applies in a second, and how much of the log one takes up if that is known. */
  readonly perSecond: number;
  readonly extentOfEvent: number | undefined;
  /** Why it does not follow the log: an event that it cannot apply, or a log that is not ours. */
  readonly fault?: FollowingFault;
}

/** How far a follower is, noted by its sessions. */
export class FollowerProgress {
  active = false;
  checkpoint: Position = startOfLog;
  fault: FollowingFault | undefined;
  /** How many transactions it has committed. */
  commits = 0;
  readonly #pace = new Pace();
  /** When it last committed, or got work to do; undefined while it has none. */
  #busySince: number | undefined;

  status(): FollowerStatus {
    const { active, checkpoint } = this;
    const fault = this.fault === undefined ? {} : { fault: this.fault };
    const stalled = this.#busySince === undefined ? 0 : performance.now() - this.#busySince;
    const { perSecond, extentOfEvent } = this.#pace;
    return { active, checkpoint, stalled, perSecond, extentOfEvent, ...fault };
  }

  /** It tries to begin: until it works or stands by, it counts as having work. */
  beginning(): void {
    this.#busySince ??= performance.now();
  }

  /** It has work now. */
  busy(): void {
    this.#busySince = performance.now();
  }

  /** It has nothing to do. */
  idle(): void {
    this.#busySince = undefined;
  }

  /** @param extent how much of the log the events take up, in the log's own measure */
  committed(checkpoint: Position, events: number, extent: number): void {
    this.busy();
    this.commits++;
    this.checkpoint = checkpoint;
    this.#pace.applied(events, extent);
  }
}
