import { GrowingTree } from '../tree/growing-tree.ts';
import { type Hash, sameHash } from '../tree/hashes.ts';
import { nameOf } from '../tree/verified-words.ts';
import type { CopiedEvent } from './copied-event.ts';
import { CopiedTree, leafOf } from './copied-tree.ts';

/** What events are copied from: a log, or a folder. */
export interface CopySource {
  /** All events in their order. */
  events(): AsyncIterable<CopiedEvent>;
}

/** What events are copied to. */
export interface CopyTarget extends CopySource {
  /** Adds events behind those that it has, in their order. */
  add(events: AsyncIterable<CopiedEvent>, onStored: (events: number) => void): Promise<void>;
}

export interface Copied {
  /** How many events there are, and how many of them were there before. */
  readonly size: number;
  readonly before: number;
  /** The root of the tree over them. */
  readonly root: Hash;
}

/**
 * Copies a log with ids, times and order. What the target has already must be the beginning of the source: a copy
 * that was interrupted goes on. Then reads the target, whose tree must have the root of the source's.
 * @param onDone is called with the number of events that were compared or stored since the last time
 * @param tree an empty one, to which the events are added
 * @throws Error if the target holds something else, or does not hold the same afterwards; what source and target throw
 */
export async function copyLog(
  source: CopySource,
  target: CopyTarget,
  onDone: (events: number) => void,
  signal?: AbortSignal,
  tree = new CopiedTree(),
): Promise<Copied> {
  const existing = target.events()[Symbol.asyncIterator]();
  let before = 0;
  async function* missing(): AsyncGenerator<CopiedEvent> {
    try {
      let there = await existing.next();
      for await (const event of source.events()) {
        signal?.throwIfAborted();
        const leaf = leafOf(event);
        tree.append(leaf);
        if (there.done) {
          yield event;
          continue;
        }
        if (!sameHash(leaf, leafOf(there.value))) throw notABeginning(event, there.value);
        before++;
        onDone(1);
        there = await existing.next();
      }
      if (!there.done)
        throw new Error(`the target has more than the source: ${nameOf(there.value)} is not in it`);
    } finally {
      // A read of EventStoreDB that is not ended keeps the process alive.
      await existing.return?.();
    }
  }
  await target.add(missing(), onDone);
  await mustBeTheSame(tree, target, signal);
  return { size: tree.size, before, root: tree.root() };
}

function notABeginning(event: CopiedEvent, there: CopiedEvent): Error {
  return new Error(
    `the target is no beginning of the source: it has ${nameOf(there)} where the source has ${nameOf(event)}`,
  );
}

async function mustBeTheSame(
  tree: CopiedTree,
  target: CopySource,
  signal: AbortSignal | undefined,
): Promise<void> {
  const copied = new GrowingTree();
  for await (const event of target.events()) {
    signal?.throwIfAborted();
    copied.append(leafOf(event));
  }
  if (copied.size === tree.size && sameHash(copied.root(), tree.root())) return;
  throw new Error(`the copy is not the same: it has ${copied.size} events of ${tree.size}, or others`);
}
