import type { Decoded } from '../../log/codec.ts';
import type { StreamName } from '../../log/log.ts';
import type { Verdict } from './verdict.ts';

/** A moment at which a verdict may change although nothing happens. */
export interface Turn {
  /** In whole seconds since 1970. */
  readonly time: number;
  /** What then ends, as a clause: `the mute ended`. */
  readonly what: string;
}

/** What a question asks, followed event by event. */
export interface Inquiry {
  /** The streams whose events concern it. */
  readonly streams: readonly StreamName[];
  /** Applies the next event of these streams. */
  apply(event: Decoded): void;
  /** The answer at `now`, in whole seconds since 1970, after the events so far. */
  verdict(now: number): Verdict;
  /** When the answer may change by itself, as far as the events so far tell. */
  turns(): readonly Turn[];
  /** What the question names and the events so far do not know: `person 12`; undefined if there is nothing. */
  missing(): string | undefined;
}
