import { Transform } from 'node:stream';
import type { AllStreamResolvedEvent, ResolvedEvent } from '@eventstore/db-client';
import type streams from '@eventstore/db-client/generated/streams_pb.js';
import type { RawEvent } from '../log.ts';

type Message = InstanceType<typeof streams.ReadResp.ReadEvent.RecordedEvent>;
type Response = InstanceType<typeof streams.ReadResp>;

/** The messages from which the client made its events. */
const messages = new WeakMap<object, Message>();

/**
 * Lets `rawOf` find the bytes of what a read or subscription of the client gives, which itself parses them
 * and drops them. Both are transforms of the server's messages.
 */
export function keepBytes<Read>(read: Read): Read {
  if (!(read instanceof Transform)) throw new TypeError('a read of the client is no transform any more');
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
 * The texts of an event that came over a read with `keepBytes`.
 * @param mark the last key of the metadata, which this adapter adds
 */
export function rawOf(event: object, mark: string): RawEvent {
  const message = messages.get(event);
  if (message === undefined) throw new TypeError('the bytes of this event were not kept');
  return new StoredBytes(message, mark);
}

/** Decodes its texts only for a reader that asks for them. */
class StoredBytes implements RawEvent {
  readonly #message: Message;
  readonly #mark: string;

  constructor(message: Message, mark: string) {
    this.#message = message;
    this.#mark = mark;
  }

  get data(): string {
    return Buffer.from(this.#message.getData_asU8()).toString();
  }

  get metadata(): string {
    const text = Buffer.from(this.#message.getCustomMetadata_asU8()).toString();
    const end = text.lastIndexOf(`"${this.#mark}":"`);
    if (end < 1 || !/^"[^"\\]*"\}$/.test(text.slice(end + this.#mark.length + 3))) return text;
    return `${text.slice(0, text[end - 1] === ',' ? end - 1 : end)}}`;
  }
}
