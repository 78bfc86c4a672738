interface Waiter {
  readonly position: string;
  resolve(): void;
}

/** Those who wait until a feed has delivered everything up to a position of the log. */
export class PositionWaiters {
  #waiters: readonly Waiter[] = [];

  /** Resolves when `reached` is called with this position or a later one, after `timeoutMs`, or when the feed stops. */
  async wait(position: string, timeoutMs?: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiter = { position, resolve };
    this.#waiters = [...this.#waiters, waiter];
    const timer = timeoutMs === undefined ? undefined : setTimeout(resolve, timeoutMs);
    await promise;
    clearTimeout(timer);
    this.#waiters = this.#waiters.filter((one) => one !== waiter);
  }

  /** Everything up to the position has been delivered. */
  reached(position: string): void {
    for (const waiter of this.#waiters) if (waiter.position <= position) waiter.resolve();
  }

  /** Ends all waiting: the feed has stopped. */
  stop(): void {
    for (const waiter of this.#waiters) waiter.resolve();
  }
}
