/** Token bucket: `burst` tokens at most, and `refillPerSecond` new ones a second, counted without a timer. */
export class TokenBucket {
  #left: number;
  #at: number;

  constructor(burst: number, now: number) {
    this.#left = burst;
    this.#at = now;
  }

  /** Takes `amount` tokens; if fewer are left it takes none and returns false. @param now in milliseconds */
  take(burst: number, refillPerSecond: number, now: number, amount = 1): boolean {
    this.#left = Math.min(burst, this.#left + ((now - this.#at) / 1000) * refillPerSecond);
    this.#at = now;
    if (this.#left < amount) return false;
    this.#left -= amount;
    return true;
  }
}
