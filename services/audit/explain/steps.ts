import type { Decoded } from '../../log/codec.ts';
import type { Inquiry } from './inquiry.ts';
import type { Verdict } from './verdict.ts';

/** What made a difference: an event, or that time passed. */
export type Cause =
  | { readonly kind: 'event'; readonly event: Decoded }
  | { readonly kind: 'time'; readonly what: string };

/** A moment at which the answer became another. */
export interface Step {
  /** In milliseconds since 1970. */
  readonly time: number;
  /** What has been so since. */
  readonly words: string;
  readonly cause: Cause;
}

/** A history of an answer, up to the moment of a question. */
export interface History {
  /** The last steps, at most as many as were asked for. */
  readonly steps: readonly Step[];
  /** How many steps before them are left out. */
  readonly omitted: number;
}

/** Keeps the last steps, up to a maximum; the others are only counted. */
export class LastSteps {
  readonly #steps: Step[] = [];
  readonly #max: number;
  #count = 0;

  constructor(max: number) {
    this.#max = max;
  }

  add(step: Step): void {
    this.#count++;
    this.#steps.push(step);
    // Shortened now and then, so that each step costs the same.
    if (this.#steps.length >= 2 * this.#max) this.#steps.splice(0, this.#steps.length - this.#max);
  }

  history(): History {
    const steps = this.#steps.slice(-this.#max);
    return { steps, omitted: this.#count - steps.length };
  }
}

/** The history of a verdict, the verdict at the moment, and when it becomes another by itself. */
export interface VerdictHistory extends History {
  readonly verdict: Verdict;
  /** The next change that comes by itself, in milliseconds since 1970; undefined if there is none. */
  readonly next: { readonly time: number; readonly words: string } | undefined;
}

/**
 * Asks an inquiry for its verdict after every event, and whenever time alone may have changed it.
 * @param until the moment of the question, in milliseconds since 1970
 */
export async function followVerdict(
  inquiry: Inquiry,
  events: AsyncIterable<Decoded>,
  until: number,
  maxSteps: number,
): Promise<VerdictHistory> {
  const steps = new LastSteps(maxSteps);
  let now = 0;
  let verdict = inquiry.verdict(now);
  const becomes = (next: Verdict, time: number, cause: Cause) => {
    if (next.words !== verdict.words) steps.add({ time, words: next.words, cause });
    verdict = next;
  };
  const passTo = (end: number) => {
    for (const { time, what } of turnsBetween(inquiry, now, end)) {
      becomes(inquiry.verdict(time), time * 1000, { kind: 'time', what });
    }
    // The clocks of two processes may differ by a little; decisions go by the log's order.
    now = Math.max(now, end);
  };
  for await (const event of events) {
    const { time } = event.metadata;
    passTo(Math.floor(time / 1000));
    inquiry.apply(event);
    becomes(inquiry.verdict(now), time, { kind: 'event', event });
  }
  passTo(Math.floor(until / 1000));
  // What has ended by the clock of the question, and not by that of the last event, has been passed above.
  verdict = inquiry.verdict(now);
  return { ...steps.history(), verdict, next: nextChange(inquiry, verdict, now) };
}

function turnsBetween(inquiry: Inquiry, after: number, upTo: number) {
  return inquiry
    .turns()
    .filter(({ time }) => time > after && time <= upTo)
    .toSorted((one, other) => one.time - other.time);
}

function nextChange(inquiry: Inquiry, verdict: Verdict, now: number): VerdictHistory['next'] {
  for (const { time } of turnsBetween(inquiry, now, Number.POSITIVE_INFINITY)) {
    const { words } = inquiry.verdict(time);
    if (words !== verdict.words) return { time: time * 1000, words };
  }
  return undefined;
}
