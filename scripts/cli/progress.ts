import { Pace } from '../../services/followers/pace.ts';

/** How often the line is written, in milliseconds. */
const everyMs = 200;

export interface ProgressOptions {
  /** What is done, as `verifying`. */
  readonly doing: string;
  /** How many there are in all; undefined if that is not known. */
  readonly total?: number | undefined;
  /** What is counted. */
  readonly unit?: string;
}

/** Shows how far a command is. */
export interface Progress {
  advance(count: number): void;
  /** Erases the line, to write something else to the terminal. */
  clear(): void;
  /** Erases the line for good. */
  end(): void;
}

const silent: Progress = { advance: () => undefined, clear: () => undefined, end: () => undefined };

/** What a progress line is written to. */
export type ProgressStream = Pick<NodeJS.WriteStream, 'write'> & { readonly isTTY?: boolean };

/**
 * A line on stderr with how many were done, how many a second, and the time left; nothing if stderr is not a
 * terminal.
 */
export function showProgress(
  { doing, total, unit = 'events' }: ProgressOptions,
  stream: ProgressStream = process.stderr,
): Progress {
  if (stream.isTTY !== true) return silent;
  const pace = new Pace();
  let done = 0;
  let writtenAt = Number.NEGATIVE_INFINITY;
  const clear = () => void stream.write('\r\u001b[K');
  return {
    advance(count) {
      done += count;
      pace.applied(count, count);
      const now = performance.now();
      if (now - writtenAt < everyMs) return;
      writtenAt = now;
      stream.write(`\r${progressLine({ doing, total, unit }, done, pace.perSecond)}\u001b[K`);
    },
    clear,
    end: clear,
  };
}

/** The line, as `verifying 1,200,000 of 4,000,000 events (30 %), 52,000 events/s, 54 s left`. */
export function progressLine(
  { doing, total, unit = 'events' }: ProgressOptions,
  done: number,
  perSecond: number,
): string {
  const count = (number: number) => Math.round(number).toLocaleString('en');
  const pace = `${count(perSecond)} ${unit}/s`;
  if (total === undefined || total <= 0) return `${doing} ${count(done)} ${unit}, ${pace}`;
  const share = Math.min(100, Math.floor((100 * done) / total));
  const left = perSecond > 0 ? `, ${duration(Math.max(0, total - done) / perSecond)} left` : '';
  return `${doing} ${count(done)} of ${count(total)} ${unit} (${share} %), ${pace}${left}`;
}

/** A duration as people say it: `54 s`, `3 min 12 s`, `2 h 5 min`. */
export function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3_600)} h ${Math.floor((whole % 3_600) / 60)} min`;
}
