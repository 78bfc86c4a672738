import { type EventId, type Json, maxAppendBytes, type NewEvent, type StreamName } from './log.ts';

/** An event ready to be written: its JSON made, its id in lower case. */
export interface PreparedEvent {
  readonly id: EventId;
  readonly type: string;
  readonly data: string;
  readonly metadata: string;
}

/** The longest name of a stream or type. */
const maxNameLength = 200;

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Checks what is to be appended, whatever the store, and writes its JSON. JSON.stringify escapes NUL
 * and lone surrogates, so that any store of texts keeps every string.
 * @param more metadata of the store's own, added to those of each event
 * @throws TypeError for a name, id or size that no log takes.
 */
export function prepare(stream: StreamName, events: readonly NewEvent[], more: Json = {}): PreparedEvent[] {
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
    const metadata = JSON.stringify({ ...event.metadata, ...more });
    return { id, type: event.type, data, metadata };
  });
  if (ids.size < events.length) throw new TypeError(`one id twice in one append to ${stream}`);
  if (bytes > maxAppendBytes) {
    throw new TypeError(`${bytes} bytes in one append to ${stream}, at most ${maxAppendBytes} are taken`);
  }
  return prepared;
}

/** @throws TypeError for a name that no log takes as a stream's. */
export function checkStreamName(stream: StreamName): void {
  checkName('a stream name', stream);
  if (stream.startsWith('$')) throw new TypeError(`a stream name begins with $: ${stream}`);
}

function checkName(what: string, name: string): void {
  if (name === '') throw new TypeError(`${what} is empty`);
  if (name.length > maxNameLength) throw new TypeError(`${what} is longer than ${maxNameLength}: ${name}`);
  if (name.includes('\0') || !name.isWellFormed()) {
    throw new TypeError(`${what} is no text: ${JSON.stringify(name)}`);
  }
}

function isEventId(id: string): id is EventId {
  return uuid.test(id);
}
