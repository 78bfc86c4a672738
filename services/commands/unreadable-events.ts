import type { UnreadableEvent } from '../log/codec.ts';
import type { EventId } from '../log/log.ts';

/** What a caller is told. Who runs the program finds in its log which event it is. */
export const unreadableText = '日志中有本程序无法处理的事件,请升级程序或联系管理员';

/** One newer event is enough to stop; what is not kept is met again when its stream is folded. */
const mostUnreadable = 100;

/** Events that were met, that this program cannot read, and that nobody has passed over. */
export class UnreadableEvents {
  readonly #events = new Map<EventId, UnreadableEvent>();

  /** An event of a newer program, of which nobody here knows what it changes. */
  get newer(): UnreadableEvent | undefined {
    return this.#events.values().find(({ kind }) => kind === 'newer');
  }

  /** Remembers one; false where it is known already, or too many are. */
  meet(error: UnreadableEvent): boolean {
    if (this.#events.has(error.event.id) || this.#events.size >= mostUnreadable) return false;
    this.#events.set(error.event.id, error);
    return true;
  }

  forget(id: EventId): void {
    this.#events.delete(id);
  }

  clear(): void {
    this.#events.clear();
  }
}
