import type { ServerResponse } from 'node:http';
import { IncomingMessage } from '../../http-module.ts';
import { answerUnread } from '../envelope.ts';
import { maxBodyBytes } from '../form.ts';
import { silenceParser } from '../silent-parser.ts';

/** Packets of a body, whatever they hold: some clients send a few bytes at a time. */
const freePackets = 1_000;

/** The same for chunks, of which one packet of 64 KB can hold 10,000: as many as take the time of a short request. */
const freeChunks = 250;

/** Further pieces bring this many bytes on average. Those of networks have 500 or more. */
const minPieceBytes = 512;

/**
 * Bytes of a body in chunks that are read after the request was answered: as many as a body without a file has. Nothing
 * says how many follow, and reading them costs as much as those of others.
 */
const maxBytesAfterAnswer = maxBodyBytes;

/**
 * A request whose body may come in a bounded number of pieces. Each piece takes a microsecond or two of the only thread.
 */
export class PiecedRequest extends IncomingMessage {
  /** Called once, when the body has come in too many pieces, in place of closing the connection. */
  onTooManyPieces: (() => void) | undefined;
  #pieces = 0;
  #bytes = 0;
  #maxBytes = Number.POSITIVE_INFINITY;
  #dropping = false;
  #handOverAgain: (() => void) | undefined;

  override push(piece: unknown, encoding?: BufferEncoding): boolean {
    if (piece === null) this.#handOverAgain?.();
    if (this.#dropping) return true;
    if (!(piece instanceof Uint8Array)) return super.push(piece, encoding);
    this.#pieces += 1;
    this.#bytes += piece.length;
    if (this.#pieces <= this.#maxPieces() && this.#bytes <= this.#maxBytes)
      return super.push(piece, encoding);
    this.#dropping = true;
    // Otherwise up to 2 MB that have arrived would be parsed first.
    this.socket.pause();
    this.dropRest();
    if (this.onTooManyPieces) this.onTooManyPieces();
    else this.socket.destroy();
    return true;
  }

  /** Keeps the parser from copying what follows of the body, and handing it over. */
  dropRest(): void {
    this.#handOverAgain ??= silenceParser(this.socket, ['parserOnBody']);
  }

  /** Reads what follows of the body, and drops it; beyond a maximum in chunks it has come in too many pieces. */
  skipRest(): void {
    // Chunks are counted after an answer, too.
    if (this.headers['content-length'] !== undefined) this.dropRest();
    else this.#maxBytes = this.#bytes + maxBytesAfterAnswer;
    this.resume();
  }

  #maxPieces(): number {
    const inChunks = this.headers['transfer-encoding'] !== undefined;
    return (inChunks ? freeChunks : freePackets) + this.#bytes / minPieceBytes;
  }
}

/** Closes the connection of a request whose body comes in too many pieces, after a 400 if no answer has begun. */
export function cutTinyPieces(request: PiecedRequest, response: ServerResponse): void {
  const { socket } = request;
  request.onTooManyPieces = () => {
    if (response.headersSent) socket.destroy();
    else answerUnread('unreadable', socket);
  };
  response.once('prefinish', () => {
    if (!request.complete) request.skipRest();
  });
}
