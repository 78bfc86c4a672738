import { setTimeout as delay } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import pTimeout from 'p-timeout';
import type { Logger } from 'pino';
import type { AccessEvent } from '../../contracts/events/access.ts';
import { streamName } from '../domain/aggregate.ts';
import { TokenBucket } from '../edge/token-bucket.ts';
import { encode } from '../log/codec.ts';
import { type EventLog, LogFailure, type NewEvent, type StreamName } from '../log/log.ts';
import type { CommandContext } from './context.ts';
import { atLeastOne, metadataOf, newEventId } from './execute.ts';

/** Records who came in and what they took along, in streams of their own. */
export interface AccessLog {
  /**
   * Records an event a moment later: nobody waits for it, and nothing fails if the log is away. Of many of one kind in
   * one stream some are suppressed; a later event says how many.
   */
  record(event: AccessEvent, context: CommandContext): void;
  /** Appends what waits, for up to 2 s. */
  close(): Promise<void>;
}

/** A kind of event in one stream: `atOnce` of them, and `aMinute` in the long run. */
interface Rate {
  readonly atOnce: number;
  readonly aMinute: number;
}

/** More than a person does, and little enough that no caller fills the log. */
const rates: { readonly [Type in AccessEvent['type']]: Rate } = {
  LoggedIn: { atOnce: 60, aMinute: 10 },
  LoginFailed: { atOnce: 10, aMinute: 1 },
  PasswordChanged: { atOnce: 10, aMinute: 1 },
  SessionEnded: { atOnce: 60, aMinute: 10 },
  SessionRevoked: { atOnce: 1_000, aMinute: 60 },
  FileUploaded: { atOnce: 1_000, aMinute: 60 },
  AuditUsed: { atOnce: 1_000, aMinute: 60 },
};

/** Failed logins of all people together, which strangers cause: beyond this they are counted as nobody's. */
const allFailures: Rate = { atOnce: 200, aMinute: 60 };

/** What is suppressed is recorded with the last event of its kind after this time. */
const summaryMs = 60_000;

/** Streams and kinds whose rates are remembered; the least recently used are forgotten. */
const maxCounters = 10_000;

/** Events that wait while the log is away, some 3 MB; further ones are lost, which the program's log says. */
const maxWaiting = 10_000;

/** Events in one append. */
const maxBatch = 100;

/** How long an append that failed is put off, and how long closing waits. */
const retryMs = 1_000;
const closeMs = 2_000;

interface Counter {
  readonly bucket: TokenBucket;
  suppressed: number;
  last: { readonly event: AccessEvent; readonly context: CommandContext } | undefined;
}

/** Opens the record of access of this process. */
export function openAccessLog(log: Pick<EventLog, 'append'>, logger: Logger): AccessLog {
  return new BackgroundAccessLog(log, logger);
}

class BackgroundAccessLog implements AccessLog {
  readonly #log: Pick<EventLog, 'append'>;
  readonly #logger: Logger;
  readonly #counters = new LRUCache<string, Counter>({ max: maxCounters });
  readonly #failures = new TokenBucket(allFailures.atOnce, performance.now());
  readonly #closing = new AbortController();
  #waiting: { readonly stream: StreamName; readonly event: NewEvent }[] = [];
  #lost = 0;
  #working: Promise<void> | undefined;
  #summary: NodeJS.Timeout | undefined;

  constructor(log: Pick<EventLog, 'append'>, logger: Logger) {
    this.#log = log;
    this.#logger = logger;
  }

  record(event: AccessEvent, context: CommandContext): void {
    const now = performance.now();
    const counter = this.#counterOf(event, now);
    if (!takes(counter.bucket, rates[event.type], now)) {
      this.#suppress(counter, event, context);
    } else if (event.type === 'LoginFailed' && !takes(this.#failures, allFailures, now)) {
      // Not under the person's name: an attack on many people would make as many streams grow.
      const nobody: AccessEvent = { type: 'LoginFailed', data: { uid: null } };
      this.#suppress(this.#counterOf(nobody, now), nobody, context);
    } else {
      this.#enqueue(event, context, counter.suppressed);
      counter.suppressed = 0;
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.#summary);
    this.#summarize();
    if (this.#working) await pTimeout(this.#working, { milliseconds: closeMs, fallback: () => undefined });
    this.#closing.abort();
    await this.#working;
    if (this.#waiting.length > 0) this.#logLoss(this.#waiting.length);
  }

  #counterOf(event: AccessEvent, now: number): Counter {
    const key = `${event.type} ${accessStreamOf(event)}`;
    const known = this.#counters.get(key);
    if (known) return known;
    const bucket = new TokenBucket(rates[event.type].atOnce, now);
    const counter: Counter = { bucket, suppressed: 0, last: undefined };
    this.#counters.set(key, counter);
    return counter;
  }

  #suppress(counter: Counter, event: AccessEvent, context: CommandContext): void {
    counter.suppressed++;
    counter.last = { event, context };
    this.#summary ??= setTimeout(() => {
      this.#summary = undefined;
      this.#summarize();
    }, summaryMs).unref();
  }

  /** Records the last event of each kind of which some were suppressed, with how many. */
  #summarize(): void {
    for (const counter of this.#counters.values()) {
      const { last, suppressed } = counter;
      if (last === undefined || suppressed === 0) continue;
      this.#enqueue(last.event, last.context, suppressed - 1);
      counter.suppressed = 0;
      counter.last = undefined;
    }
  }

  #enqueue(event: AccessEvent, context: CommandContext, suppressed: number): void {
    if (this.#closing.signal.aborted || this.#waiting.length >= maxWaiting) {
      this.#lost++;
      return;
    }
    const { type, data } = event;
    // The data are those of the type, with a field that all types have.
    const complete = (suppressed === 0 ? event : { type, data: { ...data, suppressed } }) as AccessEvent;
    const encoded = encode(newEventId(), complete, metadataOf(context));
    this.#waiting.push({ stream: accessStreamOf(event), event: encoded });
    this.#working ??= this.#work();
  }

  async #work(): Promise<void> {
    try {
      for (let [first] = this.#waiting; first; [first] = this.#waiting) {
        if (!(await this.#appendFrom(first.stream))) return;
      }
    } finally {
      // In the same step as the last look at what waits: what comes later begins the work again.
      this.#working = undefined;
    }
  }

  /** Appends what waits first, which is for this stream. @returns false if the log does not take it while this closes */
  async #appendFrom(stream: StreamName): Promise<boolean> {
    const others = this.#waiting.slice(0, maxBatch).findIndex((waiting) => waiting.stream !== stream);
    const batch = this.#waiting.slice(0, others < 0 ? maxBatch : others);
    try {
      await this.#log.append(stream, 'any', atLeastOne(batch.map(({ event }) => event)));
    } catch (error) {
      if (!(error instanceof LogFailure)) throw error;
      this.#logger.warn({ err: error, waiting: this.#waiting.length }, 'access cannot be recorded yet');
      if (this.#closing.signal.aborted) return false;
      await delay(retryMs, undefined, { signal: this.#closing.signal }).catch(() => undefined);
      return true;
    }
    this.#waiting = this.#waiting.slice(batch.length);
    if (this.#lost > 0) this.#logLoss(this.#lost);
    this.#lost = 0;
    return true;
  }

  #logLoss(events: number): void {
    this.#logger.error({ events }, 'events of access were not recorded: the log was away');
  }
}

function takes(bucket: TokenBucket, { atOnce, aMinute }: Rate, now: number): boolean {
  return bucket.take(atOnce, aMinute / 60, now);
}

/** The stream where an event of access is recorded. */
export function accessStreamOf({ data }: AccessEvent): StreamName {
  const uid = 'uid' in data ? data.uid : null;
  return streamName(uid === null ? 'access' : `access-${uid}`);
}
