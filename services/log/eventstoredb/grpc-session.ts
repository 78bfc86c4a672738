import { type ClientHttp2Session, connect, constants } from 'node:http2';
import { isIPv6 } from 'node:net';
import { type CallReceiver, GrpcCall } from './grpc-call.ts';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** What TLS needs beside the names of the servers, as PEM. */
export interface TlsFiles {
  /** The authority that the server's certificate must be of; by default one that Node trusts. */
  readonly ca?: Buffer;
  /** Our own certificate and its key. */
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** What may be on its way to us in one call that is paused. */
const callWindowBytes = 512 * 1024;

/** The same in all calls together: HTTP/2 begins with 64 KB, which on a long way is little for a read. */
const sessionWindowBytes = 16 * 1024 * 1024;

/**
 * Calls of gRPC over one connection of HTTP/2, which is opened at once. Why not `@grpc/grpc-js`: it writes the messages of a call
 * one by one, each after the one before has left, and passes each through several streams. With 50 appends under way that
 * took five times the processor time of the program, and more than twice that of the server, which gets them one by one.
 */
export class GrpcSession {
  readonly #session: ClientHttp2Session;
  readonly #headers: Readonly<Record<string, string>>;
  #connected = false;
  #calls = 0;

  /**
   * @param tls undefined for a connection in plain text
   * @param headers sent with each call
   */
  constructor(
    { address, port }: Endpoint,
    tls: TlsFiles | undefined,
    headers: Readonly<Record<string, string>>,
  ) {
    const host = isIPv6(address) ? `[${address}]` : address;
    this.#headers = headers;
    this.#session = connect(`${tls ? 'https' : 'http'}://${host}:${port}`, {
      ...tls,
      // In megabytes: a call that reads much is paused by its own window, and must not be refused.
      maxSessionMemory: Number.MAX_SAFE_INTEGER,
      settings: { enablePush: false, initialWindowSize: callWindowBytes },
    });
    this.#session.once('connect', () => {
      // Node says so, too, of one that was destroyed while it was connecting.
      if (this.#session.destroyed) return;
      this.#connected = true;
      this.#session.setLocalWindowSize(sessionWindowBytes);
    });
    // Each call ends with the failure of its own stream.
    this.#session.on('error', () => undefined);
    this.#session.unref();
  }

  /** Whether calls can be made. */
  get usable(): boolean {
    return !this.#session.closed && !this.#session.destroyed;
  }

  /** Opens a call, also before the connection is there. @throws Error if it is not usable */
  call(path: string, headers: Readonly<Record<string, string>>, receiver: CallReceiver): GrpcCall {
    const stream = this.#session.request(
      {
        [constants.HTTP2_HEADER_METHOD]: constants.HTTP2_METHOD_POST,
        [constants.HTTP2_HEADER_PATH]: path,
        [constants.HTTP2_HEADER_TE]: 'trailers',
        [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
        ...this.#headers,
        ...headers,
      },
      { endStream: false },
    );
    // A connection without calls does not keep the process running.
    if (++this.#calls === 1) this.#session.ref();
    stream.once('close', () => {
      if (--this.#calls === 0) this.#session.unref();
    });
    return new GrpcCall(stream, receiver, () => this.#connected);
  }

  /** Takes no more calls, and ends when those under way have ended. */
  close(): void {
    if (this.usable) this.#session.close();
  }

  /** Ends at once, with all calls. */
  destroy(): void {
    this.#session.destroy();
  }
}
