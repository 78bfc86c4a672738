import { withoutLastKey } from '../last-key.ts';
import type { EventId, Json, RecordedEvent, StreamName } from '../log.ts';
import { withOriginalTime } from '../original-time.ts';
import { objectOf, parseStored } from '../stored-json.ts';
import type { StoredMessage } from './read-response.ts';

/**
 * The key in an event's metadata for its origin: the call of `append` that stored it. The server gives the same
 * answer whether it stored the events now or had them already; the origin distinguishes the two.
 */
export const originKey = '$append';

/**
 * The type of the event by which the store ends a stream for ever ("tombstone"). It is written into the stream itself,
 * under the greatest revision that there is, and says nothing of the log's own.
 */
export const tombstoneType = '$streamDeleted';

/** A record, and the call of `append` that stored it. */
export interface StoredEvent {
  readonly record: RecordedEvent;
  readonly origin: string | undefined;
}

/**
 * Whether an event is the log's, and neither in one of the server's own streams nor the tombstone of one. An event of a
 * tombstone's type that was appended by hand takes a revision of its stream like any other, so it must be read like any other.
 */
export function isOfLog({ stream, type, revision }: StoredMessage): boolean {
  return !stream.startsWith('$') && !(type === tombstoneType && !Number.isSafeInteger(revision));
}

/** An event as the log gives it; `undefined` for one that is not the log's. */
export function storedEventOf(message: StoredMessage): StoredEvent | undefined {
  if (!isOfLog(message)) return undefined;
  const { id, stream, type, revision, position, recorded } = message;
  const data = message.data.toString();
  const { text, metadata, origin } = metadataOf(message);
  const record = withOriginalTime({
    id: id as EventId,
    stream: stream as StreamName,
    type,
    data: message.isJson ? parseStored(data) : objectOf(message.data),
    metadata,
    revision,
    position,
    recorded,
    raw: { data, metadata: text },
  });
  return { record, origin };
}

/** The call of `append` that stored an event. */
export function originOf(message: StoredMessage): string | undefined {
  return metadataOf(message).origin;
}

interface Metadata {
  /** Without the origin, if that is its last key and there once, as it is written (`encodeProposals`). */
  readonly text: string;
  readonly metadata: Json;
  readonly origin: string | undefined;
}

function metadataOf({ metadata: bytes }: StoredMessage): Metadata {
  const whole = bytes.toString();
  const start = whole.lastIndexOf(`"${originKey}":"`);
  const [, last] = start < 1 ? [] : (/^"([^"\\]*)"\}$/.exec(whole.slice(start + originKey.length + 3)) ?? []);
  const text = last === undefined ? whole : withoutLastKey(whole, start);
  const parsed = parsedMetadata(text, bytes);
  if (!(originKey in parsed)) return { text, metadata: parsed, origin: last };
  // It is not the last key, or is there twice: the text is shown with all that is not read.
  const { [originKey]: other, ...metadata } = parsed;
  return { text: whole, metadata, origin: last ?? (typeof other === 'string' ? other : undefined) };
}

function parsedMetadata(text: string, bytes: Buffer): Json {
  if (text === '') return {};
  try {
    return objectOf(JSON.parse(text));
  } catch {
    return objectOf(bytes);
  }
}
