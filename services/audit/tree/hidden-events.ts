import { categories } from '../../../contracts/events/index.ts';
import type { StreamName } from '../../log/log.ts';
import type { ReadableLog } from '../readable-log.ts';
import type { StreamBeginning, TreeStore } from './tree-store.ts';

/** Audited events of a stream that a read of the stream does not give any more: all up to a revision. */
export interface LackingBeginning extends StreamBeginning {
  readonly stream: StreamName;
}

/** Streams whose beginnings a store hides; `more` of them are not named. */
export interface HiddenBeginnings {
  readonly streams: readonly LackingBeginning[];
  readonly more: number;
}

/** What a stream lacks of its audited beginning; undefined if it lacks nothing. @throws LogFailure; what `pg` throws */
export async function lackingBeginning(
  log: Pick<ReadableLog, 'readStream'>,
  store: TreeStore,
  stream: StreamName,
): Promise<LackingBeginning | undefined> {
  let readableFrom: number | undefined;
  for await (const { revision } of log.readStream(stream, { limit: 1 })) readableFrom = revision;
  const beginning = await store.beginningOf(stream, readableFrom);
  return beginning && { stream, ...beginning };
}

/**
 * The audited events that the store of a log hides, by stream: `readAll` may give them still, so that they are in the
 * tree, but nobody who decides or answers sees them.
 * @throws LogFailure; what `pg` throws
 */
export async function* hiddenEvents(
  log: Pick<ReadableLog, 'hiddenStreams'>,
  store: TreeStore,
): AsyncGenerator<LackingBeginning, void, undefined> {
  for await (const { stream, readableFrom } of log.hiddenStreams(categories)) {
    const beginning = readableFrom === 0 ? undefined : await store.beginningOf(stream, readableFrom);
    if (beginning) yield { stream, ...beginning };
  }
}
