import type { RunningProgram } from '../bench/program.ts';
import type { Call } from './calls.ts';
import type { Person } from './cast.ts';

/** Where requests go, and what signs them. */
export type Target = Pick<RunningProgram, 'port' | 'key' | 'secret'>;

/** Who makes a request. */
export interface Caller {
  readonly kind: 'person' | 'server' | 'nobody' | 'ended token' | 'wrong key';
  /** The person whose token it shows. */
  readonly person: Person | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** A request as it goes over the wire. */
export interface Request {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
  readonly caller: Caller;
  /** The call that its path names; undefined for what openapi.json does not describe. */
  readonly call: Call | undefined;
  readonly given: Readonly<Record<string, unknown>>;
}

/** The outcome of a request. */
export type Outcome =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly headers: Readonly<Record<string, string | string[] | undefined>>;
      readonly body: Buffer;
    }
  /** The connection was closed without an answer. */
  | { readonly kind: 'cut'; readonly why: string }
  /** Neither an answer nor an end came in time. */
  | { readonly kind: 'hanging' };
