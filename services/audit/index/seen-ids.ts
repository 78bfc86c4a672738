import { hash } from 'node:crypto';
import type { RecordedEvent } from '../../log/log.ts';

type Named = Pick<RecordedEvent, 'id' | 'stream' | 'revision'>;

/** Of a digest of id and stream, and one for the revision; all of 4 bytes. */
const wordsOfSlot = 4;

/** How many slots there are at first: a power of two, as it is doubled. */
const firstSlots = 4_096;

/** Which part of the slots is taken at most. */
const maxTaken = 0.75;

/**
 * The first events of the ids of streams among those that were given. It takes 16 bytes a slot, from 22 to 43 an event, outside of the
 * heap. Id and stream are kept as the first 96 bits of their SHA-256: with 10 million events two of them are the same with
 * a probability of 1 in 10^15.
 */
export class SeenIds {
  #slots = new Uint32Array(firstSlots * wordsOfSlot);
  #size = 0;

  /** How many ids were seen, each stream's by themselves. */
  get size(): number {
    return this.#size;
  }

  /** Notes an event unless its stream has its id. @returns the revision of the first event of the id; undefined if this is it */
  add(event: Named): number | undefined {
    const digest = digestOf(event);
    const slot = slotOf(this.#slots, digest);
    const first = this.#slots[slot + 3] ?? 0;
    if (first > 0) return first - 1;
    put(this.#slots, slot, digest, event.revision + 1);
    this.#size++;
    if (this.#size > (this.#slots.length / wordsOfSlot) * maxTaken) this.#double();
    return undefined;
  }

  /** Those of some events whose id their stream has, with the revision of the first event of it. */
  known(events: readonly Named[]): Named[] {
    // As a rule all are audited, so that none was seen.
    if (this.#size === 0) return [];
    return events.flatMap((event) => {
      const first = this.#slots[slotOf(this.#slots, digestOf(event)) + 3] ?? 0;
      return first > 0 ? [{ id: event.id, stream: event.stream, revision: first - 1 }] : [];
    });
  }

  #double(): void {
    const before = this.#slots;
    const after = new Uint32Array(before.length * 2);
    for (let slot = 0; slot < before.length; slot += wordsOfSlot) {
      const revision = before[slot + 3] ?? 0;
      if (revision === 0) continue;
      const digest = digestAt(before, slot);
      put(after, slotOf(after, digest), digest, revision);
    }
    this.#slots = after;
  }
}

/** The first 96 bits of a hash, as three numbers. */
interface Digest {
  readonly one: number;
  readonly two: number;
  readonly three: number;
}

function digestOf({ id, stream }: Named): Digest {
  const bytes = hash('sha256', `${id} ${stream}`, 'buffer');
  return { one: bytes.readUInt32LE(0), two: bytes.readUInt32LE(4), three: bytes.readUInt32LE(8) };
}

function digestAt(slots: Uint32Array, slot: number): Digest {
  return { one: slots[slot] ?? 0, two: slots[slot + 1] ?? 0, three: slots[slot + 2] ?? 0 };
}

/** Where a digest is, or the next free slot for it: one that holds no revision, which is kept as one more than it is. */
function slotOf(slots: Uint32Array, { one, two, three }: Digest): number {
  const mask = slots.length - 1;
  let slot = (one * wordsOfSlot) & mask;
  while (slots[slot + 3] !== 0) {
    if (slots[slot] === one && slots[slot + 1] === two && slots[slot + 2] === three) return slot;
    slot = (slot + wordsOfSlot) & mask;
  }
  return slot;
}

function put(slots: Uint32Array, slot: number, { one, two, three }: Digest, revision: number): void {
  slots[slot] = one;
  slots[slot + 1] = two;
  slots[slot + 2] = three;
  slots[slot + 3] = revision;
}
