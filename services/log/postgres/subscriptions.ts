import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Continuity } from '../continuity.ts';
import { endingAtReturn } from '../ending-at-return.ts';
import { LogChanged } from '../identity.ts';
import { LogFailure, type RecordedEvent, type SubscribeOptions } from '../log.ts';
import { withOriginalTime } from '../original-time.ts';
import { parseStored } from '../stored-json.ts';
import type { Committed } from './batch.ts';
import type { LogReader } from './log-reader.ts';
import { eventNumberOf, positionOf } from './position.ts';
import { RecentEvents, selector } from './recent-events.ts';

/** How often the end of the log is queried: without a connection that listens, and with one, in case a notification is lost. */
const pollMs = 200;
const pollWhileListeningMs = 5_000;

/** The pause of a subscription after a read that failed. */
const retryPauseMs = 200;

export interface SubscriptionsOptions {
  readonly logger: Logger;
  readonly reader: LogReader;
  readonly continuity: Continuity;
  /** Whether there is a connection that listens to the notifications of others. */
  readonly listening: () => boolean;
}

/**
 * All subscriptions of this process. They get what this process commits directly from the appender. What others
 * commit is read from the server, after its notification or when polling finds it.
 */
export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  readonly #recent = new RecentEvents();
  readonly #closing = new AbortController();
  #count = 0;
  #poll: NodeJS.Timeout | undefined;

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
    options.continuity.onChanged(() => this.#recent.reset());
  }

  /** Gives the subscriptions a batch that this process committed. */
  committed(batch: readonly Committed[]): void {
    const stored = batch.filter(({ result }) => result.outcome === 'appended');
    const first = stored[0];
    const last = stored.at(-1);
    const lastEvent = last?.append.events.at(-1);
    if (last && lastEvent) {
      this.#options.continuity.noteEvent({ position: positionOf(last.eventNumber), id: lastEvent.id });
    }
    if (first && this.#count > 0) {
      const records = stored.flatMap(recordsOf);
      const bytes = stored.reduce((sum, { append }) => sum + append.bytes, 0);
      this.#recent.append(records, first.eventNumber - first.append.events.length + 1, bytes);
    }
    // An already appended event may come from an attempt whose answer was lost, so no subscription has got it.
    for (const { eventNumber } of batch) this.#recent.reached(eventNumber);
  }

  /** Another process has appended: the log reaches at least to this event number. */
  notified(eventNumber: number): void {
    this.#recent.reached(eventNumber);
  }

  /** Notifications may have been lost. */
  listeningAgain(): void {
    if (this.#count > 0) void this.#queryEnd();
  }

  /** @throws TypeError for a position of another kind of log; the iteration throws LogChanged */
  subscribe(options: SubscribeOptions): AsyncIterable<readonly RecordedEvent[]> {
    const after = eventNumberOf(options.after);
    return endingAtReturn([options.signal, this.#closing.signal], (signal) =>
      this.#follow(after, options.prefixes, signal),
    );
  }

  /** Ends all subscriptions. */
  close(): void {
    this.#closing.abort();
    clearTimeout(this.#poll);
  }

  async *#follow(
    after: number,
    prefixes: readonly string[] | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<readonly RecordedEvent[], void, undefined> {
    if (signal.aborted) return;
    const { continuity } = this.#options;
    const { generation } = continuity;
    const wanted = selector(prefixes);
    const wake = () => this.#recent.wake();
    signal.addEventListener('abort', wake);
    this.#enter();
    let reached = after;
    try {
      await this.#queryEnd();
      while (!signal.aborted) {
        if (continuity.generation !== generation) throw new LogChanged();
        const recent = this.#recent.after(reached);
        if (recent) {
          reached += recent.length;
          const chosen = prefixes ? recent.filter(wanted) : recent;
          if (chosen.length > 0) yield chosen;
        } else if (reached < this.#recent.end) {
          const page = await this.#read(reached, prefixes, signal);
          if (!page || continuity.generation !== generation) continue;
          reached = page.reached;
          const last = page.records.at(-1);
          if (last) continuity.noteEvent(last);
          if (last && !signal.aborted) yield page.records;
        } else {
          await this.#recent.changed();
        }
      }
    } finally {
      signal.removeEventListener('abort', wake);
      this.#leave();
    }
  }

  async #read(after: number, prefixes: readonly string[] | undefined, signal: AbortSignal) {
    try {
      return await this.#options.reader.all(after, this.#recent.end, prefixes);
    } catch (error) {
      if (!(error instanceof LogFailure)) throw error;
      this.#options.logger.warn({ err: error }, 'a subscription waits for the log');
      await delay(retryPauseMs, undefined, { signal }).catch(() => {});
      return undefined;
    }
  }

  #enter(): void {
    this.#count++;
    if (!this.#poll) this.#pollLater();
  }

  #leave(): void {
    this.#count--;
    if (this.#count > 0) return;
    this.#recent.clear();
    clearTimeout(this.#poll);
    this.#poll = undefined;
  }

  #pollLater(): void {
    this.#poll = setTimeout(
      () => {
        // An error that it throws is not caught: it ends the process, which could no longer follow the log.
        void this.#queryEnd().then(() => {
          if (this.#count > 0 && !this.#closing.signal.aborted) this.#pollLater();
          else this.#poll = undefined;
        });
      },
      this.#options.listening() ? pollWhileListeningMs : pollMs,
    );
  }

  /** If it fails, the next poll or the next connection of the listener finds the end. */
  async #queryEnd(): Promise<void> {
    try {
      this.#recent.reached(await this.#options.reader.end());
    } catch (error) {
      if (!(error instanceof LogFailure)) throw error;
    }
  }
}

/** The records of an append as a reader gets them: parsed again, since the writer may still change its objects. */
function recordsOf({ append, result, eventNumber, recorded }: Committed): RecordedEvent[] {
  if (result.outcome !== 'appended') return [];
  const before = append.events.length - 1;
  const { revision } = result;
  return append.events.map(({ id, type, data, metadata }, index) =>
    withOriginalTime({
      stream: append.stream,
      revision: revision - before + index,
      position: positionOf(eventNumber - before + index),
      id,
      type,
      data: parseStored(data),
      metadata: parseStored(metadata),
      recorded,
      raw: { data, metadata },
    }),
  );
}
