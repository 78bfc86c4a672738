import { createHash } from 'node:crypto';
import type { DomainEvent } from '../../contracts/events/index.ts';
import type { CommandContext } from '../../services/commands/context.ts';
import { metadataOf } from '../../services/commands/execute.ts';
import { encode } from '../../services/log/codec.ts';
import type { EventId, NewEvent, StreamName } from '../../services/log/log.ts';
import { historyMs, timeAt } from './calendar.ts';

/** What a history appends at once. */
export interface HistoryAppend {
  readonly stream: StreamName;
  readonly events: readonly [NewEvent, ...NewEvent[]];
  /** The same, without what the log takes beside them. */
  readonly facts: readonly DomainEvent[];
}

/** People answer each other within this time, in milliseconds, unless there are too many events for that. */
const maxPauseMs = 15_000;

/** The events of a history as they are decided: counts them, and gives each its id, time and cause. */
export class DecidedEvents {
  readonly #total: number;
  readonly #seed: string;
  readonly #pauseMs: number;
  #count = 0;
  #requests = 0;
  #time = 0;
  #appends: HistoryAppend[] = [];

  constructor(total: number, seed: string) {
    this.#total = total;
    this.#seed = createHash('sha256').update(seed).digest('hex').slice(0, 3);
    this.#pauseMs = Math.min(maxPauseMs, historyMs / total);
  }

  /** How many are still to come. */
  get left(): number {
    return this.#total - this.#count;
  }

  /** How much of the history is over, from 0 to 1. */
  get fraction(): number {
    return this.#count / this.#total;
  }

  /**
   * The next request, by a person or the holder of the server's key.
   * @param pause for one that follows on the last one within seconds: how long, from 0 to 1
   */
  request(actor: CommandContext['actor'], pause?: number): CommandContext {
    const time =
      pause === undefined
        ? Math.max(this.#time, timeAt(this.fraction))
        : this.#time + Math.floor(pause * this.#pauseMs);
    this.#time = time;
    return { actor, time, correlationId: this.#uuid(time, 'a', ++this.#requests) };
  }

  /**
   * Adds what a request decided on a stream.
   * @param cause `first` if the first event causes the others, as a message does its automatic answers
   */
  add(stream: StreamName, decided: readonly DomainEvent[], context: CommandContext, cause?: 'first'): void {
    const [first, ...others] = decided;
    if (first === undefined) return;
    const firstId = this.#eventId(context);
    const causation = cause === undefined ? context.correlationId : firstId;
    this.#appends.push({
      stream,
      facts: decided,
      events: [
        encode(firstId, first, metadataOf(context)),
        ...others.map((event) => encode(this.#eventId(context), event, metadataOf(context, causation))),
      ],
    });
  }

  /** Takes what was added since the last time. */
  take(): readonly HistoryAppend[] {
    const appends = this.#appends;
    this.#appends = [];
    return appends;
  }

  #eventId({ time }: CommandContext): EventId {
    return this.#uuid(time, '8', ++this.#count) as EventId;
  }

  /** A UUID in the form of version 7, with a counter in place of chance. */
  #uuid(time: number, variant: '8' | 'a', counter: number): string {
    const moment = time.toString(16).padStart(12, '0');
    const number = counter.toString(16).padStart(15, '0');
    return `${moment.slice(0, 8)}-${moment.slice(8)}-7${number.slice(0, 3)}-${variant}${this.#seed}-${number.slice(3)}`;
  }
}
