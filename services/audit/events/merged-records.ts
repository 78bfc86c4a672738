import type { EventLog, RecordedEvent, StreamName } from '../../log/log.ts';

/** How many streams are begun to be read at once: as many as the log has connections for reading. */
const maxBegunAtOnce = 4;

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
  log: Pick<EventLog, 'readStream'>,
  streams: readonly StreamName[],
  reverse: boolean,
): AsyncGenerator<RecordedEvent, void, undefined> {
  const direction = reverse ? 'backwards' : 'forwards';
  const isBefore = (one: Head, other: Head) =>
    reverse ? one.record.position > other.record.position : one.record.position < other.record.position;
  const heads: Head[] = [];
  const open: AsyncIterator<RecordedEvent>[] = [];
  const advance = async (rest: AsyncIterator<RecordedEvent>, add: (head: Head) => void) => {
    const { value, done } = await rest.next();
    if (!done) add({ record: value, rest });
  };
  const waiting = [...new Set(streams)];
  const begin = async () => {
    for (let stream = waiting.pop(); stream !== undefined; stream = waiting.pop()) {
      const rest = log.readStream(stream, { direction })[Symbol.asyncIterator]();
      open.push(rest);
      await advance(rest, (head) => heads.push(head));
    }
  };
  try {
    await Promise.all(Array.from({ length: maxBegunAtOnce }, begin));
    heads.sort((one, other) => (isBefore(one, other) ? -1 : 1));
    for (let head = heads.shift(); head; head = heads.shift()) {
      yield head.record;
      await advance(head.rest, (next) => insert(heads, next, isBefore));
    }
  } finally {
    await Promise.all(open.map((rest) => rest.return?.()));
  }
}

/** Puts a head among sorted ones, before those of the same position: events of one append may have the same. */
function insert(heads: Head[], head: Head, isBefore: (one: Head, other: Head) => boolean): void {
  let [from, to] = [0, heads.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    const other = heads[middle];
    if (other && isBefore(other, head)) from = middle + 1;
    else to = middle;
  }
  heads.splice(from, 0, head);
}
