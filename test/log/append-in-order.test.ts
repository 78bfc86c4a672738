import { expect, onTestFinished, test, vi } from 'vitest';
import { appendInOrder, type OrderedAppend } from '../../services/log/append-in-order.ts';
import type { AppendResult, EventId, Position, StreamName } from '../../services/log/log.ts';

/** Appends of one event each, to a stream of its own. */
function* appends(count: number): Generator<OrderedAppend> {
  for (let number = 1; number <= count; number++) {
    const id = crypto.randomUUID() as EventId;
    yield {
      stream: `user-${number}` as StreamName,
      events: [{ id, type: 'Tested', data: {}, metadata: {} }],
    };
  }
}

/** A log that answers when it is let: what waits for an answer, and how many events waited at once at most. */
function heldLog() {
  const held: (() => void)[] = [];
  let stored = 0;
  return {
    held,
    append: () =>
      new Promise<AppendResult>((resolve) => {
        const position = String(++stored).padStart(8, '0') as Position;
        held.push(() => resolve({ outcome: 'appended', revision: 0, position }));
      }),
  };
}

/** How many events a log is given at once, each time, if each of its answers takes `answersAfterMs`. */
async function givenAtOnce(answersAfterMs: number, count: number): Promise<number[]> {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const log = heldLog();
  const sizes: number[] = [];
  let done = false;
  const appending = appendInOrder(log, appends(count), () => undefined).then(() => {
    done = true;
  });
  while (!done) {
    const before = log.held.length;
    // Real time: all that it gives before an answer, it gives in turns of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    if (log.held.length > before || log.held.length === 0) continue;
    sizes.push(log.held.length);
    vi.advanceTimersByTime(answersAfterMs);
    for (const answer of log.held.splice(0)) answer();
  }
  await appending;
  return sizes;
}

test('a log that answers soon is given thousands of events at once', async () => {
  const sizes = await givenAtOnce(50, 40_000);
  expect(Math.max(...sizes)).toBeGreaterThan(7_000);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(8_001);
});

test('a log that answers after seconds is given few, so that no append waits until it fails', async () => {
  const sizes = await givenAtOnce(1_500, 4_000);
  expect(sizes[0]).toBeLessThanOrEqual(1_001);
  expect(Math.max(...sizes.slice(2, -1))).toBeLessThanOrEqual(201);
});
