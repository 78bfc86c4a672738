/** A gateway's count of heartbeats, and whether it is closing its sockets. */
export interface GatewayBeats {
  readonly gateway: string;
  readonly beats: number;
  readonly leaving: boolean;
}

interface Seen extends GatewayBeats {
  /** When this count was first seen, on the monotonic clock. */
  readonly since: number;
}

/** A gateway that closes its sockets still counts for this time: its users may reach another gateway first. */
const leavingGraceMs = 1_000;

/**
 * Finds dead gateways: those whose count of heartbeats does not change, by the monotonic clock of this process. If a
 * clock is set, here or on the database's machine, no gateway is taken for dead or alive by mistake.
 */
export class GatewayWatch {
  readonly #timeoutMs: number;
  #seen = new Map<string, Seen>();
  #checkedAt = 0;

  /** @param timeoutMs a gateway whose count has not changed for this time is dead */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** Compares the counts of all gateways with those of the last check. @returns those that are dead or have left */
  check(read: readonly GatewayBeats[], now: number): GatewayBeats[] {
    // After a long pause between checks the database was away, and other gateways could not count either.
    const before = now - this.#checkedAt < this.#timeoutMs / 2 ? this.#seen : new Map<string, Seen>();
    this.#checkedAt = now;
    this.#seen = new Map(
      read.map((one) => {
        const last = before.get(one.gateway);
        const same = last?.beats === one.beats && last.leaving === one.leaving;
        return [one.gateway, { ...one, since: same ? last.since : now }];
      }),
    );
    return [...this.#seen.values()].filter(
      ({ leaving, since }) => now - since >= (leaving ? leavingGraceMs : this.#timeoutMs),
    );
  }
}
