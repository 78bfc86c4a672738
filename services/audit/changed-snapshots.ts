import { isDeepStrictEqual } from 'node:util';
import { StreamFold } from '../commands/folded.ts';
import { createSnapshots, type StoredState } from '../commands/snapshots.ts';
import type { AggregateStream } from '../domain/aggregate.ts';
import { streamOfName } from '../domain/stream-of-name.ts';
import { tryDecode, UnreadableEvent } from '../log/codec.ts';
import type { StreamName } from '../log/log.ts';
import { Skips } from '../log/skips.ts';
import type { ReadingDatabase } from '../postgres/database.ts';
import type { ReadableLog } from './readable-log.ts';

/** A snapshot from which commands would fold on, and whose state the events of its stream do not give. */
export interface ChangedSnapshot {
  readonly stream: StreamName;
  /** Of the last event that it is said to be of. */
  readonly revision: number;
}

export interface ChangedSnapshotsOptions {
  readonly log: ReadableLog;
  /** Where the snapshots are. */
  readonly database: ReadingDatabase;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Folds each stream of which a snapshot is kept up to there, as a command does that has no snapshot, and compares. What
 * commands pass over is none: a snapshot of another version of the fold, or one that does not fit the log.
 * @throws LogFailure; what `pg` throws; the signal's reason
 */
export async function* changedSnapshots({
  log,
  database,
  signal,
}: ChangedSnapshotsOptions): AsyncGenerator<ChangedSnapshot, void, undefined> {
  const { rows } = await database.query<{ stream: StreamName }>(
    'select stream from folds.snapshots order by stream',
  );
  if (rows.length === 0) return;
  const skips = new Skips(log);
  await skips.refresh();
  for (const { stream: name } of rows) {
    signal?.throwIfAborted();
    const stream = streamOfName(name);
    const stored = stream && (await createSnapshots(database).find(name, stream.aggregate.version));
    if (!stored || stored.skipped !== skips.countOf(name)) continue;
    const state = await stateUpTo({ log, skips, stream, stored });
    if (state !== undefined && !isSame(stored.state, state.folded))
      yield { stream: name, revision: stored.revision };
  }
}

interface Folding {
  readonly log: ReadableLog;
  readonly skips: Skips;
  readonly stream: AggregateStream<unknown>;
  readonly stored: StoredState;
}

/** What folding gives up to the event of a snapshot; undefined if the log has another event there, or one that cannot be read. */
async function stateUpTo({
  log,
  skips,
  stream: { name, aggregate },
  stored: { revision: last, eventId },
}: Folding): Promise<{ readonly folded: unknown } | undefined> {
  const fold = new StreamFold(aggregate, log.remembersIds);
  for await (const record of log.readStream(name)) {
    if (record.revision > last) break;
    const { revision, position } = record;
    const event = skips.has(record) ? { type: 'skipped' as const, revision, position } : tryDecode(record);
    if (event instanceof UnreadableEvent) return undefined;
    fold.fold(event);
    if (revision === last && record.id === eventId) return { folded: fold.state };
  }
  return undefined;
}

/** Also the order of what is in maps and sets counts, as decisions may depend on it. */
function isSame(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(withLists(one), withLists(other));
}

function withLists(value: unknown): unknown {
  if (value instanceof Map) return { map: Array.from(value, ([key, item]) => [key, withLists(item)]) };
  if (value instanceof Set) return { set: Array.from(value, withLists) };
  if (Array.isArray(value)) return value.map(withLists);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withLists(item)]));
}
