import { describe, expect, it } from 'vitest';
import { useDoubles } from './eventstoredb-double-harness.ts';
import { collect, events, streamOf } from './specimens.ts';

describe('reading single events of EventStoreDB (a double)', () => {
  const world = useDoubles();

  /** A log with a stream of events, and how many calls that read something takes. */
  const filled = async (count: number) => {
    const double = await world.start();
    const log = world.open(double);
    const stream = streamOf('read');
    await log.append(stream, 'none', events(count));
    const all = await collect(log.readStream(stream));
    const callsOf = async (read: () => Promise<unknown>) => {
      const before = double.readsSeen;
      await read();
      return double.readsSeen - before;
    };
    return { log, all, callsOf };
  };

  it('takes one call for those of a stream that are close together', async () => {
    const { log, all, callsOf } = await filled(300);
    const near = [7, 1, 3, 20, 9].flatMap((revision) => all[revision] ?? []);
    const far = all.slice(250, 260);
    const read = async () =>
      expect(await collect(log.readEvents([...near, ...far]))).toEqual([...near, ...far]);
    expect(await callsOf(read)).toBe(2);
  });

  it('takes one call for the event at a position before a known end', async () => {
    const { log, all, callsOf } = await filled(3);
    await log.end();
    const read = async () => {
      for (const record of all) expect(await log.at(record.position)).toEqual(record);
    };
    expect(await callsOf(read)).toBe(3);
  });
});
