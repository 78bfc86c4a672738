import { describe, expect, it } from 'vitest';
import type { EventId, Position, RecordedEvent, StreamName } from '../../services/log/log.ts';
import { mergedPages, type PageStart } from '../../services/log/merged-pages.ts';

/** The event of a number: the events of `count` streams follow each other in turns. */
function eventOf(number: number, count: number): RecordedEvent {
  return {
    stream: `many-${number % count}` as StreamName,
    revision: Math.floor(number / count),
    position: String(number).padStart(8, '0') as Position,
    id: `${number}` as EventId,
    type: 'Something',
    data: {},
    metadata: {},
    recorded: 0,
    raw: { data: '{}', metadata: '{}' },
  };
}

/** Of its data and metadata in the store. */
const bytesOfEvent = 4;

/** A log in memory of `count` streams; it notes what is asked of it. */
function logOf(count: number, events: number) {
  const all = Array.from({ length: events }, (_, number) => eventOf(number, count));
  const ofStream = Map.groupBy(all, ({ stream }) => stream);
  const asked: PageStart[] = [];
  const pageOf = (direction: 'forwards' | 'backwards', { stream, from }: PageStart, size: number) => {
    asked.push({ stream, from });
    const own = ofStream.get(stream) ?? [];
    const first = from ?? (direction === 'forwards' ? 0 : own.length - 1);
    const records =
      direction === 'forwards'
        ? own.slice(first, first + size)
        : own.slice(Math.max(0, first + 1 - size), first + 1).reverse();
    return { records, more: records.length === size, bytes: records.length * bytesOfEvent };
  };
  const streams = Array.from({ length: count }, (_, index) => `many-${index}` as StreamName);
  return { all, asked, pageOf, streams };
}

describe('the pages of some streams, merged', () => {
  it('give all events in the order of the log, or in the reverse order, whatever the length of a page', async () => {
    for (const size of [1, 2, 7, 100]) {
      const { all, pageOf, streams } = logOf(20, 400);
      const read = (direction: 'forwards' | 'backwards') =>
        Array.fromAsync(
          mergedPages(streams, direction, async (starts, maxEvents) =>
            starts.map((start) => pageOf(direction, start, Math.min(size, maxEvents))),
          ),
        );
      expect(await read('forwards')).toEqual(all);
      expect(await read('backwards')).toEqual(all.toReversed());
    }
  });

  it('are begun before the page at hand has ended, by calls of up to 500 events', async () => {
    const { all, asked, pageOf, streams } = logOf(20, 4_000);
    const sizes: number[] = [];
    const reading = mergedPages(streams, 'forwards', async (starts, maxEvents) => {
      sizes.push(starts.length * maxEvents);
      return starts.map((start) => pageOf('forwards', start, maxEvents));
    });
    let seen = 0;
    let begunAt: number | undefined;
    for await (const _ of reading) {
      seen++;
      if (begunAt === undefined && asked.some(({ from }) => from !== undefined)) begunAt = seen;
    }
    expect(seen).toBe(all.length);
    // The first pages have 25 events of each of the 20 streams.
    expect(begunAt).toBeLessThan(20 * 25 - 20);
    expect(Math.max(...sizes)).toBe(500);
  });

  it('hold 20,000 events and two short pages of each stream at most, however long the streams are', async () => {
    const count = 300;
    const { all, pageOf, streams } = logOf(count, 90_000);
    let held = 0;
    let most = 0;
    const reading = mergedPages(streams, 'forwards', async (starts, maxEvents) => {
      const pages = starts.map((start) => pageOf('forwards', start, maxEvents));
      for (const { records } of pages) held += records.length;
      most = Math.max(most, held);
      return pages;
    });
    let seen = 0;
    for await (const _ of reading) {
      seen++;
      held--;
    }
    expect(seen).toBe(all.length);
    expect(most).toBeLessThan(20_000 + 2 * 10 * count);
  });

  it('throw what a page that was begun ahead throws when its events are due', async () => {
    const { pageOf, streams } = logOf(1, 2_000);
    const seen: number[] = [];
    const read = async () => {
      const reading = mergedPages(streams, 'forwards', async (starts, maxEvents) => {
        if (starts[0]?.from === 500) throw new Error('the log cannot be read');
        return starts.map((start) => pageOf('forwards', start, maxEvents));
      });
      for await (const { revision } of reading) seen.push(revision);
    };
    await expect(read()).rejects.toThrow('the log cannot be read');
    expect(seen).toEqual(Array.from({ length: 500 }, (_, revision) => revision));
  });
});
