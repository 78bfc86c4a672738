import { cpus } from 'node:os';
import type { EventLog, Position } from '../log/log.ts';
import type { Follower } from './follower.ts';

/**
 * No rest is shorter while the log grows, in milliseconds: of a few events each costs several times what one of a hundred
 * costs.
 */
const minRestMs = 100;

/** No rest is longer, in milliseconds: what comes when the load is over is applied soon after it. */
const maxRestMs = 3_000;

/** The share of the time that a follower works while the log grows: of a machine that is busy, and of another. */
const busyShare = 0.02;
const calmShare = 0.2;

/** A machine is busy if less than this share of its processors' time is idle. */
const busyBelowIdle = 0.25;

/** The time of all processors since the machine was started, in milliseconds. */
interface ProcessorTime {
  readonly idle: number;
  readonly total: number;
}

/** Another follower of the same program. */
export type Preferred = Pick<Follower, 'lag'>;

/** If a preferred follower is this far behind, in milliseconds, the time is left to it. */
const preferredLagMs = 5_000;

/**
 * How long a follower rests after each batch, so that it does not slow those who write to the log, nor a follower that
 * is preferred: while the log grows, it works for a share of the time, which is small if the machine has no processor to
 * spare, or the preferred one is behind; while neither is so, all of it. It lags under load, and catches up afterwards.
 */
export class Yielding {
  readonly #log: Pick<EventLog, 'end'>;
  readonly #prefixes: readonly string[];
  readonly #preferred: Preferred | undefined;
  readonly #processors: () => ProcessorTime;
  #end: Position | undefined;
  #before: ProcessorTime;

  constructor(
    log: Pick<EventLog, 'end'>,
    prefixes: readonly string[],
    preferred?: Preferred,
    processors: () => ProcessorTime = processorTime,
  ) {
    this.#log = log;
    this.#prefixes = prefixes;
    this.#preferred = preferred;
    this.#processors = processors;
    this.#before = processors();
  }

  /** @param tookMs how long the batch took. @throws LogFailure */
  async restMs(tookMs: number): Promise<number> {
    const end = await this.#log.end(this.#prefixes);
    const grows = end !== this.#end;
    this.#end = end;
    const now = this.#processors();
    const total = now.total - this.#before.total;
    const idle = total > 0 ? (now.idle - this.#before.idle) / total : 1;
    this.#before = now;
    const behind = ((await this.#preferred?.lag()) ?? 0) > preferredLagMs;
    if (!grows && !behind) return 0;
    const share = behind || idle < busyBelowIdle ? busyShare : calmShare;
    return Math.min(maxRestMs, Math.max(minRestMs, tookMs * (1 / share - 1)));
  }
}

function processorTime(): ProcessorTime {
  const times = cpus().map((processor) => processor.times);
  return {
    idle: times.reduce((sum, time) => sum + time.idle, 0),
    total: times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0),
  };
}
