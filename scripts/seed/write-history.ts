import { type AppendResult, type EventLog, startOfLog } from '../../services/log/log.ts';
import type { HistoryAppend } from './decided-events.ts';

type Together = Pick<HistoryAppend, 'stream' | 'events'>;

/** How many events are on their way to the log at once: several of its batches. */
const maxUnanswered = 8_000;

/** How many events of one stream that follow on each other go in one append. */
const maxTogether = 200;

/**
 * Appends a history to a log, in its order: where one event names the place of another, as a reading does, the
 * log's order must be that of the history.
 * @param onAppended is called with the number of events that were stored since the last time
 * @throws LogFailure; Error if the log holds any of the events, or stored them in another order
 */
export async function writeHistory(
  log: Pick<EventLog, 'append'>,
  appends: Iterable<HistoryAppend>,
  onAppended: (events: number) => void,
): Promise<void> {
  const unanswered: { readonly events: number; readonly result: Promise<AppendResult> }[] = [];
  let waiting = 0;
  let last = startOfLog;
  const answered = async () => {
    const oldest = unanswered.shift();
    if (!oldest) return;
    const result = await oldest.result;
    if (result.outcome !== 'appended') throw new Error('the log holds an event of this history already');
    if (result.position <= last)
      throw new Error('the log stored the events in another order: empty it, try again');
    last = result.position;
    waiting -= oldest.events;
    onAppended(oldest.events);
  };
  try {
    for (const { stream, events } of together(appends)) {
      const result = log.append(stream, 'any', events);
      // Whoever waits for it, in turn, gets what it throws.
      result.catch(() => undefined);
      unanswered.push({ events: events.length, result });
      waiting += events.length;
      while (waiting > maxUnanswered) await answered();
    }
    while (unanswered.length > 0) await answered();
  } finally {
    await Promise.allSettled(unanswered.map(({ result }) => result));
  }
}

/** Puts appends to one stream that follow on each other into one. */
function* together(appends: Iterable<Together>): Generator<Together> {
  let current: Together | undefined;
  for (const append of appends) {
    if (current?.stream === append.stream && current.events.length < maxTogether) {
      current = { stream: append.stream, events: [...current.events, ...append.events] };
    } else {
      if (current) yield current;
      current = append;
    }
  }
  if (current) yield current;
}
