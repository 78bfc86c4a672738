/**
 * Resolves when a read that was just begun has been sent. A pool gives a query to its connection in the next tick, which
 * does not come while promises settle one after the other: a caller that works through a page without waiting for
 * anything else would hold it up, and the server would do nothing meanwhile.
 */
export function begunReadIsSent(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
