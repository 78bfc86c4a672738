import type { UnreadableEvent } from '../log/codec.ts';
import type { EventId } from '../log/log.ts';

/** The message for callers. The program's log names the event. */
export const unreadableText = '日志中有本程序无法处理的事件,请升级程序或联系管理员';

/** One newer event is enough to stop; those that are not remembered are found again when their streams are folded. */
const maxUnreadable = 100;

/** Events that this program cannot read and that nobody has decided to skip. */
export class UnreadableEvents {
  readonly #events = new Map<EventId, UnreadableEvent>();

  /** An event of a newer program. */
  get newer(): UnreadableEvent | undefined {
    return this.#events.values().find(({ kind }) => kind === 'newer');
  }

  /** Remembers an event. @returns false if it is known already, or too many are */
  add(error: UnreadableEvent): boolean {
    if (this.#events.has(error.event.id) || this.#events.size >= maxUnreadable) return false;
    this.#events.set(error.event.id, error);
    return true;
  }

  delete(id: EventId): void {
    this.#events.delete(id);
  }

  clear(): void {
    this.#events.clear();
  }
}
