import { type EventId, type Json, maxAppendBytes, type NewEvent, type StreamName } from './log.ts';

/** An event ready to be written: serialised to JSON, its id in lower case. */
export interface PreparedEvent {
  readonly id: EventId;
  readonly type: string;
  readonly data: string;
  readonly metadata: string;
}

/** The longest name of a stream or event type, in UTF-16 units. */
const maxNameLength = 200;

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Checks an append by the rules of every store, and serialises its events. JSON.stringify escapes NUL
 * and lone surrogates, so a store that takes only valid text preserves every string.
 * @param extra metadata of the store's own, added to those of each event
 * @throws TypeError for an illegal name, id or size
 */
export function prepare(stream: StreamName, events: readonly NewEvent[], extra: Json = {}): PreparedEvent[] {
  checkStreamName(stream);
  if (events.length === 0) throw new TypeError('nothing to append');
  let bytes = 0;
  const ids = new Set<string>();
  const prepared = events.map((event) => {
    const id = event.id.toLowerCase();
    if (!isEventId(id)) throw new TypeError(`not a UUID: ${event.id}`);
    ids.add(id);
    checkName('an event type', event.type);
    const data = JSON.stringify(event.data);
    bytes += Buffer.byteLength(data);
    const metadata = JSON.stringify({ ...event.metadata, ...extra });
    return { id, type: event.type, data, metadata };
  });
  if (ids.size < events.length) throw new TypeError(`one id twice in one append to ${stream}`);
  if (bytes > maxAppendBytes) {
    throw new TypeError(`${bytes} bytes in one append to ${stream}; the limit is ${maxAppendBytes}`);
  }
  return prepared;
}

/** @throws TypeError for an illegal name of a stream */
export function checkStreamName(stream: StreamName): void {
  checkName('a stream name', stream);
  if (stream.startsWith('$')) throw new TypeError(`a stream name begins with $: ${stream}`);
}

function checkName(what: string, name: string): void {
  if (name === '') throw new TypeError(`${what} is empty`);
  if (name.length > maxNameLength) throw new TypeError(`${what} is longer than ${maxNameLength}: ${name}`);
  if (name.includes('\0') || !name.isWellFormed()) {
    throw new TypeError(`${what} contains NUL or a lone surrogate: ${JSON.stringify(name)}`);
  }
}

function isEventId(id: string): id is EventId {
  return uuid.test(id);
}
