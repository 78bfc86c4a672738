import { randomUUID } from 'node:crypto';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { ExpectedRevision, StreamName } from '../log.ts';
import { type Answer, AttemptFailure, answerOf, uuidOf } from './answer.ts';
import type { AppendStream, EventStoreDBConnection } from './connection.ts';
import type { proposalsOf } from './event.ts';

/** What is to be appended. */
export interface Proposed {
  readonly stream: StreamName;
  readonly expected: ExpectedRevision;
  readonly proposals: ReturnType<typeof proposalsOf>;
  /** Whether the log is still the one on which it was decided; nothing is sent if it is not. */
  readonly isCurrent: (() => boolean) | undefined;
}

interface Attempt {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (failure: AttemptFailure) => void;
  readonly deadline: number;
  /** The stream it was written to; none while that is still being opened. */
  over?: AppendStream;
}

/** What a stream ends with that never had a connection: nothing written to it has left. */
const neverConnected = /No connection established|Name resolution failed|Failed to connect/;

/** How often deadlines are looked at, in milliseconds. */
const sweepEvery = 100;

/**
 * Carries attempts to append over one stream of the connection, many at once, each with a deadline
 * of its own, which the server does not keep when it is frozen.
 */
export class Appends {
  readonly #connection: EventStoreDBConnection;
  readonly #heard: () => void;
  readonly #attempts = new Map<string, Attempt>();
  #stream: Promise<AppendStream> | undefined;
  #sweep: NodeJS.Timeout | undefined;

  /** `heard` is called at each sign of life of the server. */
  constructor(connection: EventStoreDBConnection, heard: () => void) {
    this.#connection = connection;
    this.#heard = heard;
  }

  /** Whether there is a stream, or one is being opened. */
  get open(): boolean {
    return this.#stream !== undefined;
  }

  /**
   * Tries once to append, for at most so many milliseconds.
   * @throws AttemptFailure where there is no answer.
   */
  attempt({ stream, expected, proposals, isCurrent }: Proposed, milliseconds: number): Promise<Answer> {
    const id = randomUUID();
    const request = new streams.BatchAppendReq();
    const correlation = new shared.UUID();
    correlation.setString(id);
    request.setCorrelationId(correlation);
    request.setOptions(optionsOf(stream, expected));
    request.setProposedMessagesList(proposals);
    request.setIsFinal(true);
    return new Promise((resolve, reject) => {
      const attempt: Attempt = { resolve, reject, deadline: performance.now() + milliseconds };
      this.#attempts.set(id, attempt);
      this.#sweep ??= setInterval(() => this.#endOverdue(), sweepEvery);
      this.#opened().then(
        (over) => {
          if (!this.#attempts.has(id)) return;
          if (isCurrent?.() === false) {
            this.#fail(id, 'unsent', 'the log is another one');
            return;
          }
          attempt.over = over;
          over.write(request);
        },
        (error: Error) => this.#fail(id, 'unsent', error.message, error),
      );
    });
  }

  /** Gives up the stream; what was written to it is doubtful from now on. */
  drop(why: string): void {
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.then((over) => this.#lose(over, new Error(why))).catch(() => undefined);
  }

  #opened(): Promise<AppendStream> {
    if (this.#stream) return this.#stream;
    const opening = this.#connection.openAppends().then((over) => {
      over.on('data', (response) => this.#answer(response));
      over.on('error', (error) => this.#lose(over, error));
      over.on('end', () => this.#lose(over, new Error('the server ended the stream of appends')));
      return over;
    });
    this.#stream = opening;
    opening.catch(() => this.#forget(opening));
    return opening;
  }

  #forget(opening: Promise<AppendStream>): void {
    if (this.#stream === opening) this.#stream = undefined;
  }

  #answer(response: InstanceType<typeof streams.BatchAppendResp>): void {
    this.#heard();
    const id = uuidOf(response.getCorrelationId());
    const attempt = this.#attempts.get(id);
    if (!attempt) return;
    this.#remove(id);
    try {
      attempt.resolve(answerOf(response));
    } catch (failure) {
      attempt.reject(
        failure instanceof AttemptFailure
          ? failure
          : new AttemptFailure('doubtful', 'the answer cannot be read', { cause: failure }),
      );
    }
  }

  #lose(over: AppendStream, error: Error): void {
    const stream = this.#stream;
    stream?.then((present) => present === over && this.#forget(stream)).catch(() => undefined);
    const kind = neverConnected.test(error.message) ? 'unsent' : 'doubtful';
    for (const [id, attempt] of this.#attempts) {
      if (attempt.over === over) this.#fail(id, kind, error.message, error);
    }
    over.cancel();
  }

  #endOverdue(): void {
    const now = performance.now();
    for (const [id, attempt] of this.#attempts) {
      if (attempt.deadline > now) continue;
      this.#fail(id, attempt.over ? 'doubtful' : 'unsent', 'the server did not answer in time');
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
