import type { ReadStreamOptions, StreamName } from '../log.ts';
import { MessageWriter } from './message-writer.ts';
import type { StoredPosition } from './position.ts';

type Direction = 'forwards' | 'backwards';

/** Which events a subscription is sent: those of streams or types whose names are like this. */
export interface Filter {
  readonly by: 'stream' | 'type';
  readonly names: { readonly prefixes: readonly string[] } | { readonly regex: string };
}

/** How many events a subscription searches at most before it sends what it found. */
const maxSearchedEvents = 256;

/** After how many such searches it says how far it is. */
const searchesPerReport = 4;

type Write = (message: MessageWriter) => void;

/*
 * A request is a message `ReadReq` of the server's streams.proto, in which all is in `options`. The numbers are those of the fields
 * there.
 */

/** Reads a stream. */
export function streamRequest(stream: StreamName, options: ReadStreamOptions = {}): Uint8Array {
  const { direction = 'forwards', from, limit } = options;
  return requestOf((request) => {
    request.message(1, (chosen) => {
      chosen.message(1, (name) => name.text(3, stream));
      if (from !== undefined) chosen.number(2, Math.max(0, from));
      else chosen.message(direction === 'forwards' ? 3 : 4);
    });
    writeReading(request, direction, limit);
  });
}

/** Reads the whole log, the store's own streams included, from a position on, itself included. */
export function logRequest(direction: Direction, limit?: number, from?: StoredPosition): Uint8Array {
  return requestOf((request) => {
    request.message(2, from === undefined ? edgeOf(direction) : allFrom(from));
    writeReading(request, direction, limit);
  });
}

/** Follows the log after a position, by default from its start. */
export function subscriptionRequest(after: StoredPosition | undefined, { by, names }: Filter): Uint8Array {
  return requestOf((request) => {
    request.message(2, after === undefined ? edgeOf('forwards') : allFrom(after));
    request.message(6);
    request.message(7, (filter) => {
      filter.message(by === 'stream' ? 1 : 2, (expression) => {
        if ('regex' in names) expression.text(1, names.regex);
        else for (const prefix of names.prefixes) expression.text(2, prefix);
      });
      filter.number(3, maxSearchedEvents).number(5, searchesPerReport);
    });
  });
}

/** Once and not as a subscription, without a filter. */
function writeReading(request: MessageWriter, direction: Direction, limit = Number.MAX_SAFE_INTEGER): void {
  request
    .number(3, direction === 'forwards' ? 0 : 1)
    .number(5, limit)
    .message(8);
}

/** The start of the whole log, or its end. */
function edgeOf(direction: Direction): Write {
  return (chosen) => chosen.message(direction === 'forwards' ? 2 : 3);
}

function allFrom({ commit, prepare }: StoredPosition): Write {
  return (chosen) => chosen.message(1, (position) => position.number(1, commit).number(2, prepare));
}

/** Links are not resolved, which is the default, and ids are sent as text. */
function requestOf(writeOptions: Write): Uint8Array {
  const request = new MessageWriter();
  return request
    .message(1, (options) => {
      writeOptions(options);
      options.message(9, (ids) => ids.message(2));
    })
    .bytes();
}
