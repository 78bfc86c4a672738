import type { Mid } from '../../contracts/ids.ts';

/** How long ids that were taken may be given out. */
const keptMilliseconds = 1000;
/** From this age on a block that is in use is replaced beforehand. */
const renewedMilliseconds = 600;
const smallest = 16;
const largest = 512;

interface Block {
  readonly ids: readonly Mid[];
  given: number;
  /** When it arrived; not when it was asked for, or a slow database would make every block too old. */
  readonly arrived: number;
}

/**
 * Gives ids out of blocks that grow with the demand, and fetches the next one before the present one
 * is used up. Ids of a block that grew old are never given.
 * @param take as many fresh ids as asked for, in ascending order.
 * @param now milliseconds on a clock that never goes back.
 */
export function createMidBlocks(options: {
  readonly take: (count: number) => Promise<Mid[]>;
  readonly now?: () => number;
}) {
  const { take, now = () => performance.now() } = options;
  /** Oldest first; the first one is in use. */
  let blocks: Block[] = [];
  let drops = 0;
  let size = smallest;
  let fetching: Promise<void> | undefined;
  /** Since when ids have been asked for and none has come. */
  let waitingSince: number | undefined;

  /** The block in use, once those that are used up or too old are put aside. */
  function present(): Block | undefined {
    for (;;) {
      const [block] = blocks;
      if (!block) return undefined;
      const usedUp = block.given === block.ids.length;
      const tooOld = now() - block.arrived >= keptMilliseconds;
      if (!usedUp && !tooOld) return block;
      if (usedUp) size = Math.min(size * 2, largest);
      else if (block.given < block.ids.length / 2) size = Math.max(size / 2, smallest);
      blocks.shift();
    }
  }

  function fetch(): Promise<void> {
    fetching ??= fetchBlock().finally(() => {
      fetching = undefined;
    });
    return fetching;
  }

  async function fetchBlock(): Promise<void> {
    const dropsBefore = drops;
    waitingSince ??= now();
    const ids = await take(size);
    waitingSince = undefined;
    if (drops === dropsBefore) blocks.push({ ids, given: 0, arrived: now() });
  }

  function runsOut(block: Block): boolean {
    return block.given * 2 > block.ids.length || now() - block.arrived >= renewedMilliseconds;
  }

  return {
    /** The next id. @throws what `take` throws, where no id is at hand. */
    async next(): Promise<Mid> {
      for (;;) {
        const block = present();
        const id = block?.ids[block.given];
        if (!block || id === undefined) {
          await fetch();
          continue;
        }
        block.given++;
        if (blocks.length === 1 && runsOut(block)) {
          // Where it fails, whoever finds no id at hand fetches again and is told.
          fetch().catch(() => {});
        }
        return id;
      }
    },
    /** For how long ids have been asked for without any coming, in milliseconds; 0 if none are asked for. */
    stalled: (): number => (waitingSince === undefined ? 0 : now() - waitingSince),
    /** Forgets the ids at hand, and those on the way. */
    drop(): void {
      drops++;
      blocks = [];
    },
  };
}
