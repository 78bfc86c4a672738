import type { IncomingHttpHeaders } from 'node:http2';

/** The codes of gRPC that are told apart here. */
export const grpcStatus = { ok: 0, cancelled: 1, internal: 13, unavailable: 14 } as const;

/** Why a call of gRPC ended, other than by its own will. */
export class GrpcFailure extends Error {
  override readonly name = 'GrpcFailure';
  /** The code of gRPC that the server gave; `unavailable` if it gave none. */
  readonly code: number;
  /** Whether there was a connection. If not, nothing that was written to the call was sent. */
  readonly connected: boolean;
  /** What the server said of it: `exception`, and what belongs to that. */
  readonly trailers: IncomingHttpHeaders;

  constructor(
    message: string,
    {
      code = grpcStatus.unavailable,
      connected = true,
      trailers = {},
      cause,
    }: Partial<Pick<GrpcFailure, 'code' | 'connected' | 'trailers' | 'cause'>> = {},
  ) {
    super(message, { cause });
    this.code = code;
    this.connected = connected;
    this.trailers = trailers;
  }

  /** Whether the server says that the stream was ended for ever. */
  get isStreamGone(): boolean {
    return this.trailers.exception === 'stream-deleted';
  }

  /** Whether the next call needs another connection, to this server or to another one. */
  get endsConnection(): boolean {
    return (
      this.leader !== undefined || this.code === grpcStatus.unavailable || this.code === grpcStatus.cancelled
    );
  }

  /** The node that leads, if a node refused the call because it does not. */
  get leader(): { readonly address: string; readonly port: number } | undefined {
    const { exception, 'leader-endpoint-host': address, 'leader-endpoint-port': port } = this.trailers;
    if (exception !== 'not-leader' || typeof address !== 'string') return undefined;
    return { address, port: Number(port) };
  }
}

/** The failure that trailers tell of; undefined if they say that all went well. */
export function failureIn(trailers: IncomingHttpHeaders): GrpcFailure | undefined {
  const code = Number(trailers['grpc-status'] ?? Number.NaN);
  if (code === grpcStatus.ok) return undefined;
  const status = trailers[':status'];
  if (Number.isNaN(code))
    return new GrpcFailure(`the server answered a call of gRPC by the HTTP status ${status}`);
  return new GrpcFailure(decoded(trailers['grpc-message']), { code, trailers });
}

/** Messages are percent-encoded. */
function decoded(message: string | string[] | undefined): string {
  const text = String(message ?? '');
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
