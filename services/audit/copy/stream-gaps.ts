import { StoreCannotHold } from '../../log/append-in-order.ts';
import type { StreamName } from '../../log/log.ts';
import type { CopiedEvent } from './copied-event.ts';

/** The revisions of streams, which a store gives without a gap. Takes some memory for each stream. */
export class StreamGaps {
  readonly #next = new Map<StreamName, number>();

  /** @throws StoreCannotHold if an event does not follow on the one before it in its stream */
  mustFollow({ stream, revision }: CopiedEvent): void {
    const next = this.#next.get(stream) ?? 0;
    if (revision !== next) throw new StoreCannotHold(stream, revision, next);
    this.#next.set(stream, next + 1);
  }
}
