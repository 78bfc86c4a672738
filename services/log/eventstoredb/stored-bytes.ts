import { Transform } from 'node:stream';
import type { AllStreamResolvedEvent, ResolvedEvent } from '@eventstore/db-client';
import type streams from '@eventstore/db-client/generated/streams_pb.js';
import { withoutLastKey } from '../last-key.ts';
import type { RawEvent } from '../log.ts';

type Message = InstanceType<typeof streams.ReadResp.ReadEvent.RecordedEvent>;
type Response = InstanceType<typeof streams.ReadResp>;

/** The server's message of each event that the client returned. */
const messages = new WeakMap<object, Message>();

/**
 * Keeps the bytes of the events of a read or subscription for `rawOf`; the client parses them and drops them. Both
 * are transforms of the server's messages.
 */
export function keepBytes<Read>(read: Read): Read {
  if (!(read instanceof Transform)) throw new TypeError('a read of the client is no longer a Transform');
  const transform = read._transform.bind(read);
  read._transform = (response: Response, encoding, next) =>
    transform(response, encoding, (error, resolved?: ResolvedEvent | AllStreamResolvedEvent) => {
      const message = response.getEvent()?.getEvent();
      if (resolved?.event !== undefined && message !== undefined) messages.set(resolved.event, message);
      next(error, resolved);
    });
  return read;
}

/**
 * The texts of an event that was read with `keepBytes`.
 * @param ownKey the last key of the metadata, which this adapter adds
 */
export function rawOf(event: object, ownKey: string): RawEvent {
  const message = messages.get(event);
  if (message === undefined) throw new TypeError('the bytes of this event were not kept');
  return new StoredBytes(message, ownKey);
}

/** Decodes the texts when they are asked for. */
class StoredBytes implements RawEvent {
  readonly #message: Message;
  readonly #ownKey: string;

  constructor(message: Message, ownKey: string) {
    this.#message = message;
    this.#ownKey = ownKey;
  }

  get data(): string {
    return Buffer.from(this.#message.getData_asU8()).toString();
  }

  get metadata(): string {
    const text = Buffer.from(this.#message.getCustomMetadata_asU8()).toString();
    const end = text.lastIndexOf(`"${this.#ownKey}":"`);
    if (end < 1 || !/^"[^"\\]*"\}$/.test(text.slice(end + this.#ownKey.length + 3))) return text;
    return withoutLastKey(text, end);
  }
}
