import type { ServerResponse } from 'node:http';
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
  #handOverAgain: (() => void) | undefined;

  override push(piece: unknown, encoding?: BufferEncoding): boolean {
    if (piece === null) this.#handOverAgain?.();
    if (this.#dropping) return true;
    if (!(piece instanceof Uint8Array)) return super.push(piece, encoding);
    this.#pieces += 1;
    this.#bytes += piece.length;
    if (this.#pieces <= freePieces + this.#bytes / minPieceBytes) return super.push(piece, encoding);
    this.#dropping = true;
    this.onTooManyPieces?.();
    return true;
  }

  /**
   * Keeps the parser from copying what follows of the body, and handing it over. 10,000 pieces of one packet would take
   * 7 ms, and the copies of large bodies that were refused half of the time, for collecting them. Node has no documented
   * way for this; a parser of another form is left as it is.
   */
  dropRest(): void {
    const { socket } = this;
    const parser: unknown = Reflect.get(socket, 'parser');
    if (typeof parser !== 'object' || parser === null || this.#handOverAgain) return;
    const [key, handOver] = Object.entries(parser).find(([, value]) => isHandOver(value)) ?? [];
    if (key === undefined) return;
    Reflect.set(parser, key, undefined);
    // Parsers are used again, for the next request and for other connections.
    const handOverAgain = () => {
      socket.off('close', handOverAgain);
      Reflect.set(parser, key, handOver);
    };
    socket.once('close', handOverAgain);
    this.#handOverAgain = handOverAgain;
  }
}

/** Whether it is the function by which Node's parser hands over a piece of a body. */
function isHandOver(value: unknown): boolean {
  return typeof value === 'function' && value.name === 'parserOnBody';
}

/** Closes the connection of a request whose body comes in too many pieces, after a 400 if no answer has begun. */
export function cutTinyPieces(request: PiecedRequest, response: ServerResponse): void {
  const { socket } = request;
  request.onTooManyPieces = () => {
    // Otherwise up to 2 MB that have arrived would be parsed first.
    socket.pause();
    request.dropRest();
    if (response.headersSent) socket.destroy();
    else answerUnread('unreadable', socket);
  };
  response.once('prefinish', () => {
    if (request.complete) return;
    // Chunks are counted after an answer, too.
    if (request.headers['content-length'] !== undefined) request.dropRest();
    request.resume();
  });
}
