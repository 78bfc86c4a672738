import type { Mid } from '../../contracts/ids.ts';

/** For how long the ids of a block may be used. */
const blockLifetimeMs = 1000;
/** From this age on the next block is fetched in advance. */
const renewAfterMs = 600;
const minBlockSize = 16;
const maxBlockSize = 512;

interface Block {
  readonly ids: readonly Mid[];
  /** How many of them were used. */
  used: number;
  /** When it arrived; not when it was requested, or a slow database would make every block too old. */
  readonly arrived: number;
}

/**
 * Gives ids from blocks that grow with the demand, and fetches the next block before the current one is used up.
 * Ids of a block older than a second are never given.
 * @param fetch gets `count` new ids, in ascending order
 * @param now milliseconds on a clock that never goes back
 */
export function createMidBlocks(options: {
  readonly fetch: (count: number) => Promise<Mid[]>;
  readonly now?: () => number;
}) {
  const { fetch, now = () => performance.now() } = options;
  /** Oldest first; the first is in use. */
  let blocks: Block[] = [];
  let drops = 0;
  let size = minBlockSize;
  let fetching: Promise<void> | undefined;
  /** When the oldest request without an answer was made. */
  let waitingSince: number | undefined;

  /** The block in use, after dropping those that are used up or too old. */
  function currentBlock(): Block | undefined {
    for (;;) {
      const [block] = blocks;
      if (!block) return undefined;
      const usedUp = block.used === block.ids.length;
      const tooOld = now() - block.arrived >= blockLifetimeMs;
      if (!usedUp && !tooOld) return block;
      if (usedUp) size = Math.min(size * 2, maxBlockSize);
      else if (block.used < block.ids.length / 2) size = Math.max(size / 2, minBlockSize);
      blocks.shift();
    }
  }

  function fetchOnce(): Promise<void> {
    fetching ??= fetchBlock().finally(() => {
      fetching = undefined;
    });
    return fetching;
  }

  async function fetchBlock(): Promise<void> {
    const dropsBefore = drops;
    waitingSince ??= now();
    const ids = await fetch(size);
    waitingSince = undefined;
    if (drops === dropsBefore) blocks.push({ ids, used: 0, arrived: now() });
  }

  function needsNext(block: Block): boolean {
    return block.used * 2 > block.ids.length || now() - block.arrived >= renewAfterMs;
  }

  return {
    /** The next id. @throws what `fetch` throws, if no id is left */
    async next(): Promise<Mid> {
      for (;;) {
        const block = currentBlock();
        const id = block?.ids[block.used];
        if (!block || id === undefined) {
          await fetchOnce();
          continue;
        }
        block.used++;
        if (blocks.length === 1 && needsNext(block)) {
          // If it fails, the next caller that finds no id fetches again and gets the error.
          fetchOnce().catch(() => {});
        }
        return id;
      }
    },
    /** For how many milliseconds a request for ids has gone without an answer; 0: there is none. */
    stalledMs: (): number => (waitingSince === undefined ? 0 : now() - waitingSince),
    /** Drops the ids in memory, and those that are being fetched. */
    drop(): void {
      drops++;
      blocks = [];
    },
  };
}
