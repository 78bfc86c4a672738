import type { UnreadableEvent } from '../log/codec.ts';
import type { EventPlace } from '../log/log.ts';
import type { Skips } from '../log/skips.ts';

/** The message for callers. The program's log names the event. */
export const unreadableText = '日志中有本程序无法处理的事件,请升级程序或联系管理员';

/** One newer event is enough to stop; those that are not remembered are found again when their streams are folded. */
const maxUnreadable = 100;

/** Events that this program cannot read and that nobody has decided to skip. */
export class UnreadableEvents {
  /** By stream and revision: a stream of EventStoreDB may have an id twice. */
  readonly #events = new Map<string, UnreadableEvent>();

  /** An event of a newer program. */
  get newer(): UnreadableEvent | undefined {
    return this.#events.values().find(({ kind }) => kind === 'newer');
  }

  /** Remembers an event. @returns false if it is known already, or too many are */
  add(error: UnreadableEvent): boolean {
    const key = keyOf(error.event);
    if (this.#events.has(key) || this.#events.size >= maxUnreadable) return false;
    this.#events.set(key, error);
    return true;
  }

  /** Forgets those that are skipped now. */
  deleteSkipped(skips: Pick<Skips, 'has'>): void {
    for (const [key, { event }] of this.#events) if (skips.has(event)) this.#events.delete(key);
  }

  clear(): void {
    this.#events.clear();
  }
}

function keyOf({ stream, revision }: EventPlace): string {
  return `${stream}@${revision}`;
}
