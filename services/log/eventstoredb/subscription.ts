import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { LogChanged, StrangeLog } from '../identity.ts';
import { LogFailure, type Position, type RecordedEvent } from '../log.ts';
import { recordsIn, type Selection } from './selection.ts';
import { type SubscriptionContext, SubscriptionSession } from './subscription-session.ts';

/** The pause before the next session, by the number of sessions in a row without an event. */
const backoffMs = [0, 20, 100, 250, 500, 1000];
const maxBackoffMs = 1000;

/** How long the server's return is waited for before the next attempt. */
const untilUpTimeoutMs = 10_000;

/** A warning is logged after this many sessions in a row without an event, and after every further as many. */
const warnEverySessions = 10;

/** The server's reason for ending a subscription whose reader lags, which is normal under load. */
const lagged = /too slow/i;

/** How often a read is checked for its timeout. */
const checkEveryMs = 250;

/**
 * Follows the log after a position, for ever, in batches of what had arrived. The server drops a live
 * subscription as soon as its reader lags by 32 events, so continuing from the last position in a new session is
 * normal: it happens at once, and only repeated failure causes a pause.
 */
export async function* follow(
  context: SubscriptionContext,
  after: Position,
  prefixes: readonly string[] | undefined,
  signal: AbortSignal,
): AsyncGenerator<readonly RecordedEvent[], void, undefined> {
  if (prefixes?.length === 0 && !signal.aborted) await once(signal, 'abort');
  const { generation } = context.continuity;
  let last = after;
  let fruitless = 0;
  let isSameLog = false;
  const selection = recordsIn(prefixes, context.onEvent);
  while (!signal.aborted) {
    isSameLog ||= await checkSameLog(context);
    if (signal.aborted) return;
    if (context.continuity.generation !== generation) throw new LogChanged();
    if (!isSameLog) {
      await pause(maxBackoffMs, context, signal);
      continue;
    }
    const session = new SubscriptionSession(context, last, selection, signal);
    try {
      for (;;) {
        const batch = await session.nextBatch();
        if (batch === undefined || signal.aborted || context.continuity.generation !== generation) break;
        yield batch;
      }
    } finally {
      session.end();
    }
    fruitless = session.last > last ? 0 : fruitless + 1;
    last = session.last;
    if (signal.aborted) return;
    const pauseMs = backoffMs[Math.min(fruitless, backoffMs.length - 1)] ?? 0;
    context.logger.debug(
      { after: last, pause: pauseMs, reason: session.reason },
      'the event store ended a subscription',
    );
    if (fruitless > 0 && fruitless % warnEverySessions === 0) {
      context.logger.warn(
        { after: last, times: fruitless, reason: session.reason },
        'a subscription fails again and again; retrying',
      );
    }
    isSameLog = lagged.test(session.reason);
    if (pauseMs > 0) await pause(pauseMs, context, signal);
  }
}

/** Waits for this time if the server answers; otherwise until it answers again. */
async function pause(pauseMs: number, { server }: SubscriptionContext, signal: AbortSignal): Promise<void> {
  if (await server.pingNow()) await delay(pauseMs, undefined, { signal }).catch(() => undefined);
  else await server.untilUp(untilUpTimeoutMs, signal);
}

/** Whether the log is the one that was followed; false if the server does not answer. @throws StrangeLog */
async function checkSameLog(context: SubscriptionContext): Promise<boolean> {
  try {
    await context.checkContinuity();
    return true;
  } catch (error) {
    if (!(error instanceof LogFailure)) throw error;
    if (error.cause instanceof StrangeLog) throw error.cause;
    context.logger.debug({ err: error }, 'cannot check whether the log of the event store is the same');
    return false;
  }
}

/** The part of the log to read. */
export interface LogRange<Item extends { readonly position: Position }> {
  readonly after: Position;
  readonly end: Position;
  readonly selection: Selection<Item>;
  /** How long the read may return nothing. */
  readonly timeoutMs: number;
}

/**
 * Reads the log after a position up to another. The server filters only subscriptions, so this is a subscription that
 * ends when it has caught up. Under load the server drops it like any other that comes near the end of the
 * log, and it continues in a new session.
 * @throws LogFailure of kind `unavailable`
 */
export async function* readThrough<Item extends { readonly position: Position }>(
  context: SubscriptionContext,
  { after, end, selection, timeoutMs }: LogRange<Item>,
  signal: AbortSignal,
): AsyncGenerator<Item, void, undefined> {
  let last = after;
  /** Since when nothing has been received while the caller was waiting. */
  let waitingSince = performance.now();
  for (let fruitless = 0; !signal.aborted; fruitless++) {
    const session = new SubscriptionSession(context, last, selection, signal);
    const remainingMs = () =>
      timeoutMs + (session.last > last ? session.waitingSince : waitingSince) - performance.now();
    const checks = setInterval(() => {
      if (remainingMs() <= 0) session.end('the event store stopped answering');
    }, checkEveryMs);
    try {
      for (;;) {
        const batch = await session.nextBatch(end);
        if (batch === undefined) break;
        for (const item of batch) {
          if (item.position > end) return;
          yield item;
        }
        if (batch.length === 0 || batch.at(-1)?.position === end) return;
      }
    } finally {
      clearInterval(checks);
      session.end();
    }
    if (signal.aborted) break;
    if (session.last > last) {
      fruitless = 0;
      waitingSince = session.waitingSince;
      last = session.last;
    }
    const { server } = context;
    const answers =
      fruitless === 0 || (await server.pingNow()) || (await server.untilUp(remainingMs(), signal));
    if (!answers || remainingMs() <= 0) {
      throw new LogFailure('unavailable', `the event store could not be read: ${session.reason}`);
    }
    const pauseMs = backoffMs[Math.min(fruitless, backoffMs.length - 1)];
    await delay(pauseMs, undefined, { signal }).catch(() => undefined);
  }
  throw new LogFailure('unavailable', 'the log is closed');
}
