import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2';
import { failureIn, GrpcFailure, grpcStatus } from './grpc-failure.ts';
import { MessageFrames, writeFrame } from './message-frames.ts';

/** Who opened a call. Nothing is called any more after `cancel`. */
export interface CallReceiver {
  /** Called with each message, in order. The bytes are valid during the call alone. */
  readonly message: (bytes: Buffer) => void;
  /** Called once, after the last message; without a failure if the server says that all went well. */
  readonly ended: (failure: GrpcFailure | undefined) => void;
}

/** A call of gRPC: messages in both directions over a stream of HTTP/2. */
export class GrpcCall {
  readonly #stream: ClientHttp2Stream;
  readonly #receiver: CallReceiver;
  readonly #connected: () => boolean;
  readonly #frames = new MessageFrames();
  #trailers: IncomingHttpHeaders | undefined;
  #readAll = false;
  #cause: Error | undefined;
  #over = false;

  /** @param connected whether the connection below has ever been there */
  constructor(stream: ClientHttp2Stream, receiver: CallReceiver, connected: () => boolean) {
    this.#stream = stream;
    this.#receiver = receiver;
    this.#connected = connected;
    stream.on('response', (headers) => {
      const answers = headers[':status'] === constants.HTTP_STATUS_OK;
      if (!answers || headers['grpc-status'] !== undefined) this.#trailers = headers;
    });
    stream.on('data', (bytes: Buffer) => this.#receive(bytes));
    stream.on('trailers', (trailers) => {
      this.#trailers = trailers;
      this.#endIfComplete();
    });
    stream.on('end', () => {
      this.#readAll = true;
      this.#endIfComplete();
    });
    stream.on('error', (error) => {
      this.#cause ??= error;
    });
    stream.on('close', () => this.#end());
  }

  /** Sends a message, given in parts. What is written in one turn of the event loop leaves together. */
  write(...parts: readonly Uint8Array[]): void {
    if (!this.#over && !this.#stream.destroyed) this.#stream.write(writeFrame(parts));
  }

  /** Sends the last message. */
  writeLast(...parts: readonly Uint8Array[]): void {
    if (!this.#over && !this.#stream.destroyed) this.#stream.end(writeFrame(parts));
  }

  /** Stops the messages; some that have arrived already may still follow. */
  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    if (this.#stream.isPaused()) this.#stream.resume();
  }

  /** Ends the call without waiting for the server. */
  cancel(): void {
    this.#over = true;
    this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  #receive(bytes: Buffer): void {
    try {
      for (const message of this.#frames.add(bytes)) {
        if (this.#over) return;
        this.#receiver.message(message);
      }
    } catch (error) {
      const message = 'a message of the server cannot be read';
      this.#endWith(new GrpcFailure(message, { code: grpcStatus.internal, cause: error }));
    }
  }

  #endIfComplete(): void {
    if (this.#readAll && this.#trailers) this.#end();
  }

  #end(): void {
    this.#endWith(this.#trailers ? failureIn(this.#trailers) : this.#broken());
  }

  #endWith(failure: GrpcFailure | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#stream.close(failure ? constants.NGHTTP2_CANCEL : constants.NGHTTP2_NO_ERROR);
    this.#receiver.ended(failure);
  }

  #broken(): GrpcFailure {
    // If the connection failed, Node's error of the stream has that of the connection as its cause.
    const cause = this.#cause?.cause instanceof Error ? this.#cause.cause : this.#cause;
    return new GrpcFailure(cause?.message ?? 'the connection broke', { connected: this.#connected(), cause });
  }
}
