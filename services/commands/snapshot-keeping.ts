import type { EventLog, StreamName } from '../log/log.ts';
import type { Folded } from './folded.ts';
import type { Snapshots } from './snapshots.ts';

/**
 * A snapshot is written after this many events, and looked up after this many were read: most streams never have
 * as many, and cost no lookup.
 */
export const eventsBetweenSnapshots = 1_000;

/**
 * Writes snapshots and continues from them. Without a store for snapshots, or during its outage, streams are folded
 * from their beginning.
 */
export class SnapshotKeeping {
  readonly #log: Pick<EventLog, 'readStream'>;
  readonly #snapshots: Snapshots | undefined;
  readonly #writing = new Set<Promise<void>>();

  constructor(log: Pick<EventLog, 'readStream'>, snapshots: Snapshots | undefined) {
    this.#log = log;
    this.#snapshots = snapshots;
  }

  /** Continues from the stream's snapshot. @returns false if there is no later one that fits the log */
  async restore(name: StreamName, folded: Folded): Promise<boolean> {
    const stored = await this.#snapshots?.find(name, folded.version).catch(() => undefined);
    if (!stored || stored.revision <= folded.revision) return false;
    if (stored.skipped !== folded.skipped) return false;
    const { revision, eventId } = stored;
    for await (const { id, position } of this.#log.readStream(name, { from: revision, limit: 1 })) {
      if (id !== eventId) return false;
      folded.restore(stored, position);
      return true;
    }
    return false;
  }

  /** Writes a snapshot if there are enough events since the last one. */
  writeIfDue(name: StreamName, folded: Folded): void {
    const { version, state, revision, lastId, snapshotRevision, skipped } = folded;
    if (!this.#snapshots || lastId === undefined) return;
    if (revision - snapshotRevision < eventsBetweenSnapshots) return;
    folded.snapshotRevision = revision;
    this.#write(this.#snapshots.keep(name, version, { state, revision, eventId: lastId, skipped }));
  }

  /** Deletes the stream's snapshot. */
  delete(name: StreamName): void {
    if (this.#snapshots) this.#write(this.#snapshots.drop(name));
  }

  /** Resolves once nothing is being written. */
  async settled(): Promise<void> {
    await Promise.all(this.#writing);
  }

  /** Nobody waits for it. A snapshot that could not be written only makes a later fold longer. */
  #write(writing: Promise<void>): void {
    const settled: Promise<void> = writing
      .catch(() => undefined)
      .finally(() => this.#writing.delete(settled));
    this.#writing.add(settled);
  }
}
