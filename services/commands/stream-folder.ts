import { tryDecode, UnreadableEvent } from '../log/codec.ts';
import type { EventLog, RecordedEvent, StreamName } from '../log/log.ts';
import type { Skips } from '../log/skips.ts';
import type { Folded, PositionedEvent, SkippedRevision } from './folded.ts';
import { eventsBetweenSnapshots, type SnapshotKeeping } from './snapshot-keeping.ts';

/** A state that is being folded, or was. */
export interface StreamEntry<State = unknown> extends Folded<State> {
  /** Events that arrived while the stream was being read; null once it is folded. */
  arrived: (PositionedEvent | SkippedRevision)[] | null;
  /** Resolves to this entry once it is folded. */
  readonly folded: Promise<StreamEntry<State>>;
}

/** Reads streams and folds them, from their last snapshot if they are long. */
export class StreamFolder {
  readonly #log: Pick<EventLog, 'readStream'>;
  readonly #snapshots: SnapshotKeeping;
  readonly #skips: () => Skips;

  constructor(log: Pick<EventLog, 'readStream'>, snapshots: SnapshotKeeping, skips: () => Skips) {
    this.#log = log;
    this.#snapshots = snapshots;
    this.#skips = skips;
  }

  /** Folds a stream to its end, including what arrives meanwhile. @throws LogFailure, UnreadableEvent */
  async fold(name: StreamName, entry: StreamEntry): Promise<void> {
    do {
      await this.#foldRest(name, entry);
    } while (!foldArrived(entry));
  }

  /** @throws UnreadableEvent */
  read(record: RecordedEvent): PositionedEvent | SkippedRevision {
    const { revision, position } = record;
    if (this.#skips().has(record)) return { type: 'skipped', revision, position };
    const event = tryDecode(record);
    if (event instanceof UnreadableEvent) throw event;
    return event;
  }

  async #foldRest(name: StreamName, entry: StreamEntry): Promise<void> {
    let count = 0;
    for await (const record of this.#log.readStream(name, { from: entry.revision + 1 })) {
      entry.fold(this.read(record));
      count++;
      if (count === eventsBetweenSnapshots && (await this.#snapshots.restore(name, entry))) {
        return this.#foldRest(name, entry);
      }
    }
  }
}

/** Folds what arrived during the reading; false if events before it have not been read. */
function foldArrived(entry: StreamEntry): boolean {
  // The events that this process appends arrive before earlier ones of others.
  const arrived = (entry.arrived ?? []).sort((one, other) => one.revision - other.revision);
  for (const event of arrived) {
    if (event.revision > entry.revision + 1) return false;
    entry.fold(event);
  }
  entry.arrived = null;
  return true;
}
