import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { LogChanged, StrangeLog } from '../identity.ts';
import { LogFailure, type Position, type RecordedEvent } from '../log.ts';
import { type Source, Stretch } from './stretch.ts';

/** How long to wait before subscribing again, in milliseconds, when the last time gave nothing. */
const pauses = [0, 20, 100, 250, 500, 1000];
const longestPause = 1000;

/** So long the server's return is waited for before trying all the same, in milliseconds. */
const longestAbsence = 10_000;

/** After so many tries in a row that gave nothing it is told, and again after each as many more. */
const fruitlessTries = 10;

/** With what the server ends a subscription whose reader lags, as it does under load. */
const lagged = /too slow/i;

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
  const { generation } = source.continuity;
  let last = after;
  let fruitless = 0;
  let same = false;
  while (!signal.aborted) {
    same ||= await isSame(source);
    if (signal.aborted) return;
    if (source.continuity.generation !== generation) throw new LogChanged();
    if (!same) {
      await pauseFor(longestPause, source, signal);
      continue;
    }
    const stretch = new Stretch(source, last, prefixes, signal);
    try {
      for (;;) {
        const batch = await stretch.take();
        if (batch === undefined || signal.aborted || source.continuity.generation !== generation) break;
        yield batch;
      }
    } finally {
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
    if (fruitless > 0 && fruitless % fruitlessTries === 0) {
      source.logger.warn(
        { after: last, times: fruitless, reason: stretch.reason },
        'a subscription fails again and again; it is tried on',
      );
    }
    same = lagged.test(stretch.reason);
    if (pause > 0) await pauseFor(pause, source, signal);
  }
}

/** Waits for so many milliseconds, or for the server if it does not answer. */
async function pauseFor(milliseconds: number, { server }: Source, signal: AbortSignal): Promise<void> {
  if (await server.suspect()) await delay(milliseconds, undefined, { signal }).catch(() => undefined);
  else await server.back(longestAbsence, signal);
}

/** Whether the log is the one that was followed; false if the server does not say. @throws StrangeLog */
async function isSame(source: Source): Promise<boolean> {
  try {
    await source.check();
    return true;
  } catch (error) {
    if (!(error instanceof LogFailure)) throw error;
    if (error.cause instanceof StrangeLog) throw error.cause;
    source.logger.debug({ err: error }, 'the event store could not be asked whether its log is the same');
    return false;
  }
}

/** What of the log is read, and how long it may give nothing, in milliseconds. */
export interface Extent {
  readonly after: Position;
  readonly end: Position;
  readonly prefixes: readonly string[] | undefined;
  readonly patience: number;
}

/**
 * Reads the log after a position up to another, both in history. The server filters only what is
 * subscribed to, so that this is a subscription which ends where it has caught up. The server drops
 * it under load as it does every one that comes near the end: it goes on from there.
 * @throws LogFailure of kind `unavailable`
 */
export async function* readThrough(
  source: Source,
  { after, end, prefixes, patience }: Extent,
  signal: AbortSignal,
): AsyncGenerator<RecordedEvent, void, undefined> {
  let last = after;
  /** Since when nothing new has come while it was waited for. */
  let waitingSince = performance.now();
  for (let fruitless = 0; !signal.aborted; fruitless++) {
    const stretch = new Stretch(source, last, prefixes, signal);
    const remaining = () =>
      patience + (stretch.last > last ? stretch.waitingSince : waitingSince) - performance.now();
    const watch = setInterval(() => {
      if (remaining() <= 0) stretch.end('the event store stopped answering');
    }, watchEvery);
    try {
      for (;;) {
        const batch = await stretch.take(end);
        if (batch === undefined) break;
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
    if (signal.aborted) break;
    if (stretch.last > last) {
      fruitless = 0;
      waitingSince = stretch.waitingSince;
      last = stretch.last;
    }
    const answers =
      fruitless === 0 || (await source.server.suspect()) || (await source.server.back(remaining(), signal));
    if (!answers || remaining() <= 0) {
      throw new LogFailure('unavailable', `the event store could not be read: ${stretch.reason}`);
    }
    await delay(pauses[Math.min(fruitless, pauses.length - 1)], undefined, { signal }).catch(() => undefined);
  }
  throw new LogFailure('unavailable', 'the log is closed');
}
