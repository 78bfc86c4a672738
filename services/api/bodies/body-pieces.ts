import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { IncomingMessage } from '../../http-module.ts';
import { answerUnread } from '../envelope.ts';

/** Pieces of a body, whatever they hold: some clients send a few bytes at a time. */
const freePieces = 1_000;

/** Further pieces bring this many bytes on average. Those of networks have 500 or more. */
const minPieceBytes = 512;

/**
 * A request whose body may come in a bounded number of pieces. Each piece takes 1 µs of the only thread, and one packet of 64 KB
 * can hold 10,000 chunks of one byte.
 */
export class PiecedRequest extends IncomingMessage {
  /** Called once, when the body has come in too many pieces; what comes then is dropped. */
  onTooManyPieces: (() => void) | undefined;
  #pieces = 0;
  #bytes = 0;
  #dropping = false;

  override push(piece: unknown, encoding?: BufferEncoding): boolean {
    if (this.#dropping) return true;
    if (!(piece instanceof Uint8Array)) return super.push(piece, encoding);
    this.#pieces += 1;
    this.#bytes += piece.length;
    if (this.#pieces <= freePieces + this.#bytes / minPieceBytes) return super.push(piece, encoding);
    this.#dropping = true;
    this.onTooManyPieces?.();
    return true;
  }
}

/** Closes the connection of a request whose body comes in too many pieces, after a 400 if no answer has begun. */
export function cutTinyPieces(request: PiecedRequest, response: ServerResponse): void {
  const { socket } = request;
  request.onTooManyPieces = () => {
    // Otherwise up to 2 MB that have arrived would be parsed first.
    socket.pause();
    dropRestOfPacket(socket);
    if (response.headersSent) socket.destroy();
    else answerUnread('unreadable', socket);
  };
  // What comes after the answer is counted, too, as it passes through `push` then.
  response.once('prefinish', () => {
    if (!request.complete) request.resume();
  });
}

/**
 * Keeps the pieces that are still in the packet being parsed from being copied and handed over: 10,000 of them would take
 * 7 ms. Node has no documented way to stop its parser there; a parser of another form is left as it is.
 */
function dropRestOfPacket(socket: Socket): void {
  const parser: unknown = Reflect.get(socket, 'parser');
  if (typeof parser !== 'object' || parser === null) return;
  const [key, handOver] =
    Object.entries(parser).find(
      ([, value]) => typeof value === 'function' && value.name === 'parserOnBody',
    ) ?? [];
  if (key === undefined) return;
  Reflect.set(parser, key, undefined);
  // Parsers are used again, for other connections, but not before this: it runs before any connection closes or is read.
  setImmediate(() => Reflect.set(parser, key, handOver));
}
