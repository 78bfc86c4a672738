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

/** A log in memory of `count` streams, whose pages have `size` events; it notes what is asked of it. */
function logOf(count: number, events: number, size: number) {
  const all = Array.from({ length: events }, (_, number) => eventOf(number, count));
  const asked: PageStart[] = [];
  const pageOf = (direction: 'forwards' | 'backwards', { stream, from }: PageStart) => {
    asked.push({ stream, from });
    const own = all.filter((event) => event.stream === stream);
    const first = from ?? (direction === 'forwards' ? 0 : own.length - 1);
    const records =
      direction === 'forwards'
        ? own.slice(first, first + size)
        : own.slice(Math.max(0, first + 1 - size), first + 1).reverse();
    return { records, more: records.length === size };
  };
  const streams = Array.from({ length: count }, (_, index) => `many-${index}` as StreamName);
  return { all, asked, pageOf, streams };
}

describe('the pages of some streams, merged', () => {
  it('give all events in the order of the log, or in the reverse order, whatever the length of a page', async () => {
    for (const size of [1, 2, 7, 100]) {
      const { all, pageOf, streams } = logOf(20, 400, size);
      const read = (direction: 'forwards' | 'backwards') =>
        Array.fromAsync(
          mergedPages(streams, direction, async (starts) => starts.map((start) => pageOf(direction, start))),
        );
      expect(await read('forwards')).toEqual(all);
      expect(await read('backwards')).toEqual(all.toReversed());
    }
  });

  it('are begun before the page at hand has ended, up to 16 at once', async () => {
    const { asked, pageOf, streams } = logOf(20, 4_000, 100);
    const reading = mergedPages(streams, 'forwards', async (starts) =>
      starts.map((start) => pageOf('forwards', start)),
    );
    const ahead: number[] = [];
    for await (const { revision } of reading) {
      const begun = asked.filter(({ from }) => from === 100).length;
      if (revision < 100) ahead.push(begun);
    }
    expect(ahead.indexOf(1)).toBeLessThan(20 * 100 - 20);
    expect(Math.max(...ahead.slice(0, -20))).toBe(16);
  });

  it('throw what a page that was begun ahead throws when its events are due', async () => {
    const { pageOf, streams } = logOf(1, 100, 10);
    const seen: number[] = [];
    const read = async () => {
      const reading = mergedPages(streams, 'forwards', async (starts) => {
        if (starts[0]?.from === 10) throw new Error('the log cannot be read');
        return starts.map((start) => pageOf('forwards', start));
      });
      for await (const { revision } of reading) seen.push(revision);
    };
    await expect(read()).rejects.toThrow('the log cannot be read');
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});
