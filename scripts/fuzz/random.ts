import { createHash } from 'node:crypto';

/** Random choices that a seed decides: the same seed gives the same choices, on every machine (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: string) {
    this.#state = createHash('sha256').update(seed).digest().readUInt32LE();
  }

  /** From 0 up to, but not including, 1. */
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Both ends included. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.fraction() * (most - least + 1));
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** @throws TypeError if the list is empty */
  pick<Value>(list: readonly Value[]): Value {
    const [value] = list.slice(this.integer(0, list.length - 1));
    if (list.length === 0 || value === undefined) throw new TypeError('there is nothing to pick');
    return value;
  }

  /** The same, undefined if the list is empty. */
  pickAny<Value>(list: readonly Value[]): Value | undefined {
    return list[this.integer(0, list.length - 1)];
  }

  /** The name of a weight, as often as its weight says. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const entries = Object.entries<number>(weights);
    let left = this.fraction() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const name in weights) {
      left -= weights[name];
      if (left < 0) return name;
    }
    throw new TypeError('there is no weight');
  }

  /** Letters and digits. */
  word(length: number): string {
    return Array.from({ length }, () => this.pick([...'abcdefghijkmnpqrstuvwxyz23456789'])).join('');
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.integer(0, 255)));
  }
}
