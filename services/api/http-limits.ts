/** Bytes of a request line with its headers: 1,000 uids of `user/multiGet` in a query, and room for headers. */
export const maxHeaderBytes = 48 * 1024;

/** What a client may do with a connection before it is cut off. Times in milliseconds. */
export interface ConnectionLimits {
  /** For the headers of a request, from the moment when the connection is there, or the last answer was given. */
  readonly headers: number;
  /** For which nothing moves on a connection while a request is under way or an answer is unread. */
  readonly stillness: number;
  /** Between two requests. */
  readonly keepAlive: number;
  /** How often the headers' time is looked at. */
  readonly look: number;
  /** A body brings in each such period at least so many bytes, or its end. */
  readonly bodyPeriod: number;
  readonly bodyBytes: number;
  /** An answer larger than this is watched. */
  readonly smallAnswer: number;
  /** A watched answer is read within this time, and a second more for each so many bytes. */
  readonly answerPatience: number;
  readonly answerBytesASecond: number;
  /** Bytes of watched answers of one caller that are not read yet. */
  readonly unreadBytes: number;
  /** Requests on one connection that are not answered yet. */
  readonly pipelined: number;
}

/** The reasons stand in docs/limits.md. */
export const connectionLimits: ConnectionLimits = {
  headers: 15_000,
  stillness: 60_000,
  keepAlive: 72_000,
  look: 5_000,
  bodyPeriod: 20_000,
  bodyBytes: 20 * 1024,
  smallAnswer: 64 * 1024,
  answerPatience: 30_000,
  answerBytesASecond: 16 * 1024,
  unreadBytes: 64 * 1024 * 1024,
  pipelined: 10,
};
