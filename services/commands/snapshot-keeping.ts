import type { EventLog, StreamName } from '../log/log.ts';
import type { Folded } from './folded.ts';
import type { Snapshots } from './snapshots.ts';

/**
 * A snapshot is kept after so many events, and looked for after so many were read: most streams never have
 * as many, and cost no look.
 */
export const eventsBetweenSnapshots = 1_000;

/** When snapshots are kept and taken. Without a place for them, or while that is away, all is folded. */
export class SnapshotKeeping {
  readonly #log: Pick<EventLog, 'readStream'>;
  readonly #snapshots: Snapshots | undefined;
  /** What is being written. */
  readonly #writing = new Set<Promise<void>>();

  constructor(log: Pick<EventLog, 'readStream'>, snapshots: Snapshots | undefined) {
    this.#log = log;
    this.#snapshots = snapshots;
  }

  /** Goes on from the last snapshot; false where there is none later, or none of this stream as it stands. */
  async take(name: StreamName, folded: Folded): Promise<boolean> {
    // Without its database everything is decided all the same.
    const stored = await this.#snapshots?.find(name, folded.aggregate.version).catch(() => undefined);
    if (!stored || stored.revision <= folded.revision) return false;
    if (stored.skipped !== folded.skipped) return false;
    const { state, revision, eventId } = stored;
    for await (const { id, position } of this.#log.readStream(name, { from: revision, limit: 1 })) {
      if (id !== eventId) return false;
      Object.assign(folded, { state, revision, position, lastId: id, kept: revision });
      return true;
    }
    return false;
  }

  /** Keeps a snapshot if many events have come since the last one. */
  keep(name: StreamName, folded: Folded): void {
    const { aggregate, state, revision, lastId, kept, skipped } = folded;
    if (!this.#snapshots || lastId === undefined || revision - kept < eventsBetweenSnapshots) return;
    folded.kept = revision;
    this.#write(this.#snapshots.keep(name, aggregate.version, { state, revision, eventId: lastId, skipped }));
  }

  /** Deletes what is kept of a stream. */
  drop(name: StreamName): void {
    if (this.#snapshots) this.#write(this.#snapshots.drop(name));
  }

  /** Resolves once nothing is being written. */
  async settled(): Promise<void> {
    await Promise.all(this.#writing);
  }

  /** Beside everything else. A snapshot that is not written costs a longer fold. */
  #write(writing: Promise<void>): void {
    const settled: Promise<void> = writing
      .catch(() => undefined)
      .finally(() => this.#writing.delete(settled));
    this.#writing.add(settled);
  }
}
