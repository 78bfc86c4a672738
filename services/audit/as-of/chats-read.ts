import type { Uid } from '../../../contracts/ids.ts';
import { inboxStream } from '../../domain/inbox.ts';
import type { Decoded } from '../../log/codec.ts';
import { mergedStreams } from '../merged-streams.ts';
import type { Moment } from '../moment.ts';
import type { ReadableLog } from '../readable-log.ts';
import { maxKeptEvents, type ReadFirst } from './read-first.ts';

/**
 * Reads what people did with their chats, without what changed nothing that is seen later: if somebody reads a chat, and
 * then reads on in it without doing anything else with it, the second says all.
 * @returns the other events in the order of the log or, if these are too many, the names of the streams
 * @throws UnreadableEvent, LogFailure
 */
export async function readChats(
  log: ReadableLog,
  people: readonly Uid[],
  moment: Moment,
): Promise<ReadFirst> {
  const streams = people.map(inboxStream);
  const events = new Set<Decoded>();
  const last = new Map<string, Extract<Decoded, { type: 'ReadTo' }>>();
  for await (const event of mergedStreams(log, streams, moment)) {
    const chat = chatOf(event);
    const before = last.get(chat);
    if (event.type === 'ReadTo') {
      if (before && before.data.sequence <= event.data.sequence) events.delete(before);
      last.set(chat, event);
    } else {
      last.delete(chat);
    }
    events.add(event);
    if (events.size > maxKeptEvents) return { streams, events: [] };
  }
  return { streams: [], events: [...events] };
}

/** Whose chat an event is about, and which. */
function chatOf({ stream, data }: Decoded): string {
  return 'conversation' in data ? `${stream} ${data.conversation}` : stream;
}
