import { type Decoded, decode } from '../log/codec.ts';
import type { RecordedEvent, StreamName } from '../log/log.ts';
import { Skips } from '../log/skips.ts';
import type { Moment } from './moment.ts';
import type { ReadableLog } from './readable-log.ts';

/** How many streams are begun to be read at once: as many as the log has connections for reading. */
const streamsAtOnce = 4;

/**
 * The events of some streams in the order of the log, up to a moment; without those that an operator
 * decided to skip, whenever that was. Holds a page of each stream in memory.
 * @throws UnreadableEvent, LogFailure
 */
export async function* mergedStreams(
  log: ReadableLog,
  streams: readonly StreamName[],
  moment: Moment,
): AsyncGenerator<Decoded, void, undefined> {
  const skips = new Skips(log);
  await skips.refresh();
  const heads: Head[] = [];
  const waiting = [...new Set(streams)];
  const begin = async () => {
    for (let stream = waiting.pop(); stream !== undefined; stream = waiting.pop()) {
      const rest = log.readStream(stream)[Symbol.asyncIterator]();
      const { value, done } = await rest.next();
      if (!done) heads.push({ record: value, rest });
    }
  };
  await Promise.all(Array.from({ length: streamsAtOnce }, begin));
  const open = [...heads];
  heads.sort(byPosition);
  try {
    for (let head = heads.shift(); head; head = heads.shift()) {
      const { record, rest } = head;
      if (!moment.includes(record)) return;
      if (!skips.has(record)) yield decode(record);
      const { value, done } = await rest.next();
      if (!done) place(heads, { record: value, rest });
    }
  } finally {
    await Promise.all(open.map(({ rest }) => rest.return?.()));
  }
}

/** The next event of a stream, and what follows it. */
interface Head {
  readonly record: RecordedEvent;
  readonly rest: AsyncIterator<RecordedEvent>;
}

function byPosition({ record: one }: Head, { record: other }: Head): number {
  return one.position < other.position ? -1 : 1;
}

/** Puts a head among sorted ones, before those of its own position: one append has one position in some logs. */
function place(heads: Head[], head: Head): void {
  let [from, to] = [0, heads.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    const other = heads[middle];
    if (other && other.record.position < head.record.position) from = middle + 1;
    else to = middle;
  }
  heads.splice(from, 0, head);
}
