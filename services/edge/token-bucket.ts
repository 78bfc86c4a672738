/** Token bucket: a burst size, and a refill for each second, without a timer. */
export class TokenBucket {
  #left: number;
  #at: number;

  constructor(atOnce: number, now: number) {
    this.#left = atOnce;
    this.#at = now;
  }

  /** Takes one, or as many as `amount` says; false, and nothing is taken, if so many are not left. */
  take(atOnce: number, eachSecond: number, now: number, amount = 1): boolean {
    this.#left = Math.min(atOnce, this.#left + ((now - this.#at) / 1000) * eachSecond);
    this.#at = now;
    if (this.#left < amount) return false;
    this.#left -= amount;
    return true;
  }
}
