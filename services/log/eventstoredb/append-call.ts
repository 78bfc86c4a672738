import { randomUUID } from 'node:crypto';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { ExpectedRevision, StreamName } from '../log.ts';
import { type AppendResponse, AttemptFailure, readResponse, uuidOf } from './append-response.ts';
import type { AppendStream, EventStoreDBConnection } from './connection.ts';
import type { proposalsOf } from './event.ts';

/** One attempt to append. */
export interface AttemptRequest {
  readonly stream: StreamName;
  readonly expected: ExpectedRevision;
  readonly proposals: ReturnType<typeof proposalsOf>;
  /** Whether the log is still the one on which it was decided; if not, nothing is sent. */
  readonly isCurrent: (() => boolean) | undefined;
}

interface Attempt {
  readonly resolve: (response: AppendResponse) => void;
  readonly reject: (failure: AttemptFailure) => void;
  readonly deadline: number;
  /** The gRPC stream that it was written to; undefined while that is being opened. */
  sentOver?: AppendStream;
}

/** Errors of a gRPC stream that never had a connection, so that nothing written to it was sent. */
const neverConnected = /No connection established|Name resolution failed|Failed to connect/;

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
  #stream: Promise<AppendStream> | undefined;
  #sweep: NodeJS.Timeout | undefined;

  /**
   * `onResponse` is called at each response, which shows that the server is alive; `onLost` when the gRPC stream breaks,
   * as it does at a node that does not lead any more.
   */
  constructor(connection: EventStoreDBConnection, onResponse: () => void, onLost: () => void) {
    this.#connection = connection;
    this.#onResponse = onResponse;
    this.#onLost = onLost;
  }

  /** Whether the call is open or being opened. */
  get open(): boolean {
    return this.#stream !== undefined;
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
    const request = new streams.BatchAppendReq();
    const correlation = new shared.UUID();
    correlation.setString(id);
    request.setCorrelationId(correlation);
    request.setOptions(optionsOf(stream, expected));
    request.setProposedMessagesList(proposals);
    request.setIsFinal(true);
    return new Promise((resolve, reject) => {
      const attempt: Attempt = { resolve, reject, deadline: performance.now() + timeoutMs };
      this.#attempts.set(id, attempt);
      this.#sweep ??= setInterval(() => this.#failOverdue(), sweepEveryMs);
      this.#opened().then(
        (opened) => {
          if (!this.#attempts.has(id)) return;
          if (isCurrent?.() === false) {
            this.#fail(id, 'unsent', 'the log has changed');
            return;
          }
          attempt.sentOver = opened;
          opened.write(request);
        },
        (error: Error) => this.#fail(id, 'unsent', error.message, error),
      );
    });
  }

  /** Ends the call; attempts that were sent over it fail as doubtful. */
  drop(reason: string): void {
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.then((opened) => this.#lose(opened, new Error(reason))).catch(() => undefined);
  }

  #opened(): Promise<AppendStream> {
    if (this.#stream) return this.#stream;
    const opening = this.#connection.openAppends().then((opened) => {
      opened.on('data', (response) => this.#receive(response));
      opened.on('error', (error) => this.#lose(opened, error));
      opened.on('end', () => this.#lose(opened, new Error('the server ended the call of appends')));
      return opened;
    });
    this.#stream = opening;
    opening.catch(() => this.#forget(opening));
    return opening;
  }

  #forget(opening: Promise<AppendStream>): void {
    if (this.#stream === opening) this.#stream = undefined;
  }

  #receive(response: InstanceType<typeof streams.BatchAppendResp>): void {
    this.#onResponse();
    const id = uuidOf(response.getCorrelationId());
    const attempt = this.#attempts.get(id);
    if (!attempt) return;
    this.#remove(id);
    try {
      attempt.resolve(readResponse(response));
    } catch (failure) {
      attempt.reject(
        failure instanceof AttemptFailure
          ? failure
          : new AttemptFailure('doubtful', 'the response cannot be read', { cause: failure }),
      );
    }
  }

  #lose(lost: AppendStream, error: Error): void {
    const stream = this.#stream;
    stream?.then((present) => present === lost && this.#forget(stream)).catch(() => undefined);
    const kind = neverConnected.test(error.message) ? 'unsent' : 'doubtful';
    for (const [id, attempt] of this.#attempts) {
      if (attempt.sentOver === lost) this.#fail(id, kind, error.message, error);
    }
    lost.cancel();
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

function optionsOf(stream: StreamName, expected: ExpectedRevision) {
  const options = new streams.BatchAppendReq.Options();
  const name = new shared.StreamIdentifier();
  name.setStreamName(Buffer.from(stream));
  options.setStreamIdentifier(name);
  if (expected === 'any') options.setAny(new shared.Empty());
  else if (expected === 'none') options.setNoStream(new shared.Empty());
  else options.setStreamPosition(String(expected));
  return options;
}
