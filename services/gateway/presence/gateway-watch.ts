/** How far a gateway has counted its heartbeats, and whether it is closing its sockets. */
export interface GatewayBeats {
  readonly gateway: string;
  readonly beats: number;
  readonly leaving: boolean;
}

interface Seen extends GatewayBeats {
  /** Since when it has been seen so, on the monotonic clock. */
  readonly since: number;
}

/** A gateway that closes its sockets still counts for so long: their people may reach another one first. */
const leavingHolds = 1_000;

/**
 * Watches whether the other gateways' counts of heartbeats move, by the clock of this process alone: a
 * clock that is set, here or on the database's machine, makes nobody dead and keeps nobody alive.
 */
export class GatewayWatch {
  readonly #silence: number;
  #seen = new Map<string, Seen>();
  #lookedAt = 0;

  /** @param silence milliseconds after which a gateway whose count has not moved is dead. */
  constructor(silence: number) {
    this.#silence = silence;
  }

  /** Takes what was just read of all gateways; returns those that are dead or have left. */
  gone(read: readonly GatewayBeats[], now: number): GatewayBeats[] {
    // While nobody could look, the others may have been unable to count as well: the database was away.
    const before = now - this.#lookedAt < this.#silence / 2 ? this.#seen : new Map<string, Seen>();
    this.#lookedAt = now;
    this.#seen = new Map(
      read.map((one) => {
        const last = before.get(one.gateway);
        const same = last?.beats === one.beats && last.leaving === one.leaving;
        return [one.gateway, { ...one, since: same ? last.since : now }];
      }),
    );
    return [...this.#seen.values()].filter(
      ({ leaving, since }) => now - since >= (leaving ? leavingHolds : this.#silence),
    );
  }
}
