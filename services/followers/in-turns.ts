import { setImmediate as nextTurn } from 'node:timers/promises';

/** How many items are worked on in one turn of the event loop: some 50 µs of work each make a few milliseconds. */
const itemsOfTurn = 50;

/** Maps items, and lets what else waits for the thread go first after every 50 of them. */
export async function mapInTurns<Item, Result>(
  items: readonly Item[],
  change: (item: Item, index: number) => Result,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const [index, item] of items.entries()) {
    if (index > 0 && index % itemsOfTurn === 0) await nextTurn();
    results.push(change(item, index));
  }
  return results;
}
