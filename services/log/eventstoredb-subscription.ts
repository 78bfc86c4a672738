import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { type Source, Stretch } from './eventstoredb-stretch.ts';
import { LogFailure, type Position, type RecordedEvent } from './log.ts';

/** How long to wait before subscribing again, in milliseconds, when the last time gave nothing. */
const pauses = [0, 20, 100, 250, 500, 1000];

/** So long the server's return is waited for before trying all the same, in milliseconds. */
const longestAbsence = 10_000;

/** How often a read is looked at whether it has come to a stop, in milliseconds. */
const watchEvery = 250;

/**
 * Follows the log after a position, for ever, in batches of what had gathered. The server drops
 * live subscriptions as soon as a reader lags by 32 events, so that going on from the last position
 * is an ordinary thing: it is done at once, and only repeated failing is waited for.
 */
export async function* follow(
  source: Source,
  after: Position,
  prefixes: readonly string[] | undefined,
  signal: AbortSignal,
): AsyncGenerator<readonly RecordedEvent[], void, undefined> {
  if (prefixes?.length === 0 && !signal.aborted) await once(signal, 'abort');
  let last = after;
  let fruitless = 0;
  while (!signal.aborted) {
    const stretch = new Stretch(source, last, prefixes);
    const end = () => stretch.end();
    signal.addEventListener('abort', end, { once: true });
    source.silence.addEventListener('silent', end, { once: true });
    try {
      for (;;) {
        const batch = await stretch.take();
        if (batch === undefined || signal.aborted) break;
        yield batch;
      }
    } finally {
      signal.removeEventListener('abort', end);
      source.silence.removeEventListener('silent', end);
      stretch.end();
    }
    fruitless = stretch.last > last ? 0 : fruitless + 1;
    last = stretch.last;
    if (signal.aborted) return;
    const pause = pauses[Math.min(fruitless, pauses.length - 1)] ?? 0;
    source.logger.debug(
      { after: last, pause, reason: stretch.reason },
      'the event store ended a subscription',
    );
    if (pause === 0) continue;
    if (await source.server.suspect()) await delay(pause, undefined, { signal }).catch(() => undefined);
    else await source.server.back(longestAbsence, signal);
  }
}

/**
 * Reads the log after a position up to another, both in history. The server filters only what is
 * subscribed to, so that this is a subscription which ends where it has caught up.
 * @throws LogFailure of kind `unavailable`
 */
export async function* readThrough(
  source: Source,
  after: Position,
  end: Position,
  prefixes: readonly string[] | undefined,
  milliseconds: number,
): AsyncGenerator<RecordedEvent, void, undefined> {
  const stretch = new Stretch(source, after, prefixes);
  const watch = setInterval(() => {
    if (stretch.waitingSince < performance.now() - milliseconds)
      stretch.end('the event store stopped answering');
  }, watchEvery);
  try {
    for (;;) {
      const batch = await stretch.take(end);
      if (batch === undefined) {
        throw new LogFailure('unavailable', `the event store could not be read: ${stretch.reason}`);
      }
      for (const record of batch) {
        if (record.position > end) return;
        yield record;
      }
      if (batch.length === 0 || batch.at(-1)?.position === end) return;
    }
  } finally {
    clearInterval(watch);
    stretch.end();
  }
}
