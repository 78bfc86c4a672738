/** Bytes of a request line with its headers: 1,000 uids of `user/multiGet` in a query, and room for headers. */
export const maxHeaderBytes = 48 * 1024;

/** What a client may do with a connection before it is closed. */
export interface ConnectionLimits {
  /** For the headers of a request, since the connection was opened or the last answer was sent. */
  readonly headersMs: number;
  /** Without a byte on the connection while a request or an answer is incomplete. */
  readonly silenceMs: number;
  /** Between two requests. */
  readonly keepAliveMs: number;
  /** How often the headers' time is checked. */
  readonly checkMs: number;
  /** In each such period a body must bring `minBodyBytes`, or its end. */
  readonly bodyPeriodMs: number;
  readonly minBodyBytes: number;
  /** Larger answers must be read in time. */
  readonly smallAnswerBytes: number;
  /** A larger answer must be read within this time, plus the time of its bytes at `answerBytesPerSecond`. */
  readonly answerTimeoutMs: number;
  readonly answerBytesPerSecond: number;
  /** Bytes of one caller's answers that are not read yet. */
  readonly maxUnreadBytes: number;
  /** Requests on one connection that are not answered yet. */
  readonly maxPipelined: number;
}

/** The reasons are in docs/limits.md. */
export const connectionLimits: ConnectionLimits = {
  headersMs: 15_000,
  silenceMs: 60_000,
  keepAliveMs: 72_000,
  checkMs: 5_000,
  bodyPeriodMs: 20_000,
  minBodyBytes: 20 * 1024,
  smallAnswerBytes: 64 * 1024,
  answerTimeoutMs: 30_000,
  answerBytesPerSecond: 16 * 1024,
  maxUnreadBytes: 64 * 1024 * 1024,
  maxPipelined: 10,
};
