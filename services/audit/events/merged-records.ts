import type { EventLog, RecordedEvent, StreamName } from '../../log/log.ts';

/** The next event of a stream, and what follows it. */
interface Head {
  readonly record: RecordedEvent;
  readonly rest: AsyncIterator<RecordedEvent>;
}

/**
 * The events of some streams in the order of the log, or in the reverse order. It holds a page of each stream in
 * memory.
 * @throws LogFailure
 */
export async function* mergedRecords(
  log: EventLog,
  streams: readonly StreamName[],
  reverse: boolean,
): AsyncGenerator<RecordedEvent, void, undefined> {
  const direction = reverse ? 'backwards' : 'forwards';
  const isBefore = (one: Head, other: Head) =>
    reverse ? one.record.position > other.record.position : one.record.position < other.record.position;
  const heads: Head[] = [];
  const open: AsyncIterator<RecordedEvent>[] = [];
  const advance = async (rest: AsyncIterator<RecordedEvent>) => {
    const { value, done } = await rest.next();
    if (!done) heads.push({ record: value, rest });
  };
  try {
    for (const stream of new Set(streams)) {
      const rest = log.readStream(stream, { direction })[Symbol.asyncIterator]();
      open.push(rest);
      await advance(rest);
    }
    while (heads.length > 0) {
      const next = heads.reduce((first, head) => (isBefore(head, first) ? head : first));
      heads.splice(heads.indexOf(next), 1);
      yield next.record;
      await advance(next.rest);
    }
  } finally {
    await Promise.all(open.map((rest) => rest.return?.()));
  }
}
