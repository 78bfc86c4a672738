import { randomUUID } from 'node:crypto';
import type { ExpectedRevision, StreamName } from '../log.ts';
import { encodeAppend } from './append-message.ts';
import { type AppendResponse, AttemptFailure, decodeAppendAnswer, responseOf } from './append-response.ts';
import type { EventStoreDBConnection } from './connection.ts';
import type { GrpcCall } from './grpc-call.ts';
import { GrpcFailure } from './grpc-failure.ts';

/** One attempt to append. */
export interface AttemptRequest {
  readonly stream: StreamName;
  readonly expected: ExpectedRevision;
  /** See `encodeProposals`. */
  readonly proposals: Uint8Array;
  /** Whether the log is still the one on which it was decided; if not, nothing is sent. */
  readonly isCurrent: (() => boolean) | undefined;
}

interface Attempt {
  readonly resolve: (response: AppendResponse) => void;
  readonly reject: (failure: AttemptFailure) => void;
  readonly deadline: number;
  /** The call of gRPC that it was written to; undefined while that is being opened. */
  sentOver?: Promise<GrpcCall>;
}

/** How often deadlines are checked. */
const sweepEveryMs = 100;

/**
 * The gRPC call `BatchAppend`, which carries many attempts at once. Each has its own deadline, which the server
 * does not enforce when it is frozen.
 */
export class AppendCall {
  readonly #connection: EventStoreDBConnection;
  readonly #onResponse: () => void;
  readonly #onLost: () => void;
  readonly #attempts = new Map<string, Attempt>();
  #call: Promise<GrpcCall> | undefined;
  #sweep: NodeJS.Timeout | undefined;

  /**
   * `onResponse` is called at each response, which shows that the server is alive; `onLost` when the call of gRPC breaks,
   * as it does at a node that does not lead any more.
   */
  constructor(connection: EventStoreDBConnection, onResponse: () => void, onLost: () => void) {
    this.#connection = connection;
    this.#onResponse = onResponse;
    this.#onLost = onLost;
  }

  /** Whether the call is open or being opened. */
  get open(): boolean {
    return this.#call !== undefined;
  }

  /**
   * Tries once to append.
   * @throws AttemptFailure if there is no answer within `timeoutMs`
   */
  attempt(
    { stream, expected, proposals, isCurrent }: AttemptRequest,
    timeoutMs: number,
  ): Promise<AppendResponse> {
    const id = randomUUID();
    const message = encodeAppend(id, stream, expected, proposals);
    return new Promise((resolve, reject) => {
      const attempt: Attempt = { resolve, reject, deadline: performance.now() + timeoutMs };
      this.#attempts.set(id, attempt);
      this.#sweep ??= setInterval(() => this.#failOverdue(), sweepEveryMs);
      const opening = this.#opened();
      opening.then(
        (call) => {
          if (!this.#attempts.has(id)) return;
          if (isCurrent?.() === false) {
            this.#fail(id, 'unsent', 'the log has changed');
            return;
          }
          attempt.sentOver = opening;
          call.write(...message);
        },
        (error: Error) => this.#fail(id, 'unsent', error.message, error),
      );
    });
  }

  /** Ends the call; attempts that were sent over it fail as doubtful. */
  drop(reason: string): void {
    const dropped = this.#call;
    this.#call = undefined;
    dropped
      ?.then((call) => {
        call.cancel();
        this.#lose(dropped, new GrpcFailure(reason));
      })
      .catch(() => undefined);
  }

  #opened(): Promise<GrpcCall> {
    if (this.#call) return this.#call;
    const opening = this.#connection.openAppends({
      message: (bytes) => this.#receive(bytes),
      ended: (failure) =>
        this.#lose(opening, failure ?? new GrpcFailure('the server ended the call of appends')),
    });
    this.#call = opening;
    opening.catch(() => this.#forget(opening));
    return opening;
  }

  #forget(opening: Promise<GrpcCall>): void {
    if (this.#call === opening) this.#call = undefined;
  }

  #receive(bytes: Buffer): void {
    this.#onResponse();
    const answer = decodeAppendAnswer(bytes);
    const attempt = this.#attempts.get(answer.attempt);
    if (!attempt) return;
    this.#remove(answer.attempt);
    try {
      attempt.resolve(responseOf(answer));
    } catch (failure) {
      attempt.reject(
        failure instanceof AttemptFailure
          ? failure
          : new AttemptFailure('doubtful', 'the response cannot be read', { cause: failure }),
      );
    }
  }

  #lose(lost: Promise<GrpcCall>, failure: GrpcFailure): void {
    this.#forget(lost);
    const kind = failure.connected ? 'doubtful' : 'unsent';
    for (const [id, attempt] of this.#attempts) {
      if (attempt.sentOver === lost) this.#fail(id, kind, failure.message, failure);
    }
    this.#onLost();
  }

  #failOverdue(): void {
    const now = performance.now();
    for (const [id, attempt] of this.#attempts) {
      if (attempt.deadline > now) continue;
      this.#fail(id, attempt.sentOver ? 'doubtful' : 'unsent', 'the server did not answer in time');
    }
  }

  #fail(id: string, kind: 'unsent' | 'doubtful', message: string, cause?: Error): void {
    const attempt = this.#attempts.get(id);
    if (!attempt) return;
    this.#remove(id);
    attempt.reject(new AttemptFailure(kind, message, { cause }));
  }

  #remove(id: string): void {
    this.#attempts.delete(id);
    if (this.#attempts.size > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }
}
