import { EventEmitter, once } from 'node:events';
import { type Position, startOfLog } from '../../services/log/log.ts';

/** Up to which position the next set may be filled, and how far it is: it never shows more than the current one. */
export class FillLimit {
  readonly #events = new EventEmitter<{ raised: []; filled: [] }>();
  #limit = startOfLog;
  #position = startOfLog;
  #moving = false;
  #closed = false;

  get limit(): Position {
    return this.#limit;
  }

  /** Up to where the next set is filled. */
  get position(): Position {
    return this.#position;
  }

  /** Whether the limit moved lately: whether the system is in use. */
  get moving(): boolean {
    return this.#moving;
  }

  /** Whether no more is to be filled. */
  get closed(): boolean {
    return this.#closed;
  }

  raise(limit: Position): void {
    this.#moving = limit !== this.#limit;
    this.#limit = limit;
    this.#events.emit('raised');
  }

  close(): void {
    this.#closed = true;
    this.#events.emit('raised');
  }

  filled(position: Position): void {
    this.#position = position;
    this.#events.emit('filled');
  }

  /** Waits until the limit changes. @throws AbortError at the signal */
  async raised(signal: AbortSignal): Promise<void> {
    await once(this.#events, 'raised', { signal });
  }

  /** Waits until the next set is filled up to exactly the limit; false if it is not within `timeoutMs`. */
  async reached(timeoutMs: number): Promise<boolean> {
    const signal = AbortSignal.timeout(timeoutMs);
    while (this.#position !== this.#limit) {
      try {
        await once(this.#events, 'filled', { signal });
      } catch {
        return false;
      }
    }
    return true;
  }
}
