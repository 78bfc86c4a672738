import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { Purpose } from '../../postgres/connect.ts';
import type { Continuity } from '../continuity.ts';
import { LogChanged } from '../identity.ts';
import { LogFailure, type RecordedEvent, type SubscribeOptions } from '../log.ts';
import { parseStored } from '../stored-json.ts';
import type { Committed } from './batch.ts';
import { LastingConnection } from './connection.ts';
import { sightOver } from './identity.ts';
import { placeOf, positionOf } from './position.ts';
import type { Reading } from './reading.ts';
import { selector, Tail } from './tail.ts';

/** How often the end of the log is looked up: when nobody tells of it, and in case news got lost. */
const pollMilliseconds = 200;
const assuranceMilliseconds = 5_000;

/** How long a follower pauses after a read that failed. */
const pauseMilliseconds = 200;

const listening: Purpose = { name: 'bubble-im log listener', statement: 5_000 };

export interface FollowingOptions {
  readonly config: pg.ClientConfig;
  readonly logger: Logger;
  readonly reading: Reading;
  readonly continuity: Continuity;
  /** The server's process behind our own appends, whose news come another way. */
  readonly ownBackend: () => number | undefined;
}

/**
 * Follows the log for any number of subscribers. What this process commits is handed to them as it
 * is; of what others commit the server tells, or the polling finds it, and it is read.
 */
export class Following {
  readonly #options: FollowingOptions;
  readonly #tail = new Tail();
  readonly #closing = new AbortController();
  #followers = 0;
  #listener: LastingConnection | undefined;
  #poll: NodeJS.Timeout | undefined;

  constructor(options: FollowingOptions) {
    this.#options = options;
    options.continuity.onChanged(() => this.#tail.reset());
  }

  /** How many subscriptions are running. */
  get followers(): number {
    return this.#followers;
  }

  /** Takes a batch that this process committed. */
  committed(batch: readonly Committed[]): void {
    const stored = batch.filter(({ result }) => result.outcome === 'appended');
    const first = stored[0];
    const last = stored.at(-1);
    const lastEvent = last?.append.events.at(-1);
    if (last && lastEvent)
      this.#options.continuity.saw({ position: positionOf(last.place), id: lastEvent.id });
    if (first && this.#followers > 0) {
      const records = stored.flatMap(recordsOf);
      const bytes = stored.reduce((sum, { append }) => sum + append.bytes, 0);
      this.#tail.append(records, first.place - first.append.events.length + 1, bytes);
    }
    // What stood before may be something whose answer got lost: nobody was handed it.
    for (const { place } of batch) this.#tail.reached(place);
  }

  /** @throws TypeError for a position of another kind of log; the iteration throws LogChanged. */
  subscribe(options: SubscribeOptions): AsyncIterable<readonly RecordedEvent[]> {
    const after = placeOf(options.after);
    return {
      [Symbol.asyncIterator]: () => {
        // Lets go at once when the consumer does, even where it still waits for the next batch.
        const done = new AbortController();
        const signal = AbortSignal.any([options.signal, done.signal, this.#closing.signal]);
        const batches = this.#follow(after, options.prefixes, signal);
        return {
          next: () => batches.next(),
          return: () => {
            done.abort();
            return batches.return(undefined);
          },
        };
      },
    };
  }

  /** Ends all subscriptions. */
  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#poll);
    await this.#listener?.close();
  }

  async *#follow(
    after: number,
    prefixes: readonly string[] | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<readonly RecordedEvent[], undefined> {
    if (signal.aborted) return;
    const { continuity } = this.#options;
    const { generation } = continuity;
    const wanted = selector(prefixes);
    const wake = () => this.#tail.wake();
    signal.addEventListener('abort', wake);
    this.#enter();
    let place = after;
    try {
      await this.#lookUpEnd();
      while (!signal.aborted) {
        if (continuity.generation !== generation) throw new LogChanged();
        const kept = this.#tail.after(place);
        if (kept) {
          place += kept.length;
          const chosen = prefixes ? kept.filter(wanted) : kept;
          if (chosen.length > 0) yield chosen;
        } else if (place < this.#tail.end) {
          const page = await this.#read(place, prefixes, signal);
          if (!page || continuity.generation !== generation) continue;
          place = page.reached;
          const last = page.records.at(-1);
          if (last) continuity.saw(last);
          if (last && !signal.aborted) yield page.records;
        } else {
          await this.#tail.changed();
        }
      }
    } finally {
      signal.removeEventListener('abort', wake);
      this.#leave();
    }
  }

  async #read(place: number, prefixes: readonly string[] | undefined, signal: AbortSignal) {
    try {
      return await this.#options.reading.all(place, this.#tail.end, prefixes);
    } catch (error) {
      if (!(error instanceof LogFailure)) throw error;
      this.#options.logger.warn({ err: error }, 'a subscription waits for the log');
      await delay(pauseMilliseconds, undefined, { signal }).catch(() => {});
      return undefined;
    }
  }

  #enter(): void {
    this.#followers++;
    const { config, logger } = this.#options;
    this.#listener ??= new LastingConnection({
      ...{ config, logger, purpose: listening },
      makeReady: (client) => this.#listen(client),
    });
    if (!this.#poll) this.#pollLater();
  }

  #leave(): void {
    this.#followers--;
    if (this.#followers > 0) return;
    this.#tail.forget();
    clearTimeout(this.#poll);
    this.#poll = undefined;
  }

  async #listen(client: pg.Client): Promise<void> {
    client.on('notification', ({ processId, payload }) => {
      if (processId !== this.#options.ownBackend()) this.#tail.reached(Number(payload));
    });
    await client.query('listen log');
    await this.#options.continuity.check(sightOver(client));
    await this.#lookUpEnd();
  }

  #pollLater(): void {
    const wait = this.#listener?.client ? assuranceMilliseconds : pollMilliseconds;
    this.#poll = setTimeout(() => {
      // An error that it throws is not caught: it ends the process, which could follow nothing any more.
      void this.#lookUpEnd().then(() => {
        if (this.#followers > 0 && !this.#closing.signal.aborted) this.#pollLater();
        else this.#poll = undefined;
      });
    }, wait);
  }

  /** Where it fails, the next poll or the listener's return makes up for it. */
  async #lookUpEnd(): Promise<void> {
    try {
      this.#tail.reached(await this.#options.reading.end());
    } catch (error) {
      if (!(error instanceof LogFailure)) throw error;
    }
  }
}

/** What a reader would be given of an append: not the writer's own objects, which may yet change. */
function recordsOf({ append, result, place, recorded }: Committed): RecordedEvent[] {
  if (result.outcome !== 'appended') return [];
  const before = append.events.length - 1;
  const { revision } = result;
  return append.events.map(({ id, type, data, metadata }, index) => ({
    stream: append.stream,
    revision: revision - before + index,
    position: positionOf(place - before + index),
    id,
    type,
    data: parseStored(data),
    metadata: parseStored(metadata),
    recorded,
    raw: { data, metadata },
  }));
}
