import type { z } from 'zod';
import type { CodeName } from '../codes.ts';

/** Who may make a call outside the envelope. */
export type PlainAccess =
  /** Anyone. */
  | 'open'
  /** A user's token, or the server's key. */
  | 'known'
  /** Those who sign the request with the app's secret, as Pusher documents it. */
  | 'signed';

/** A call that answers without the envelope of the API: a probe, or one of Pusher's endpoints. */
export interface PlainCall {
  /** With its prefix; `{name}` is a parameter of `path`. */
  readonly url: `/${string}`;
  readonly method: 'GET' | 'POST';
  readonly access: PlainAccess;
  readonly summary: string;
  readonly path?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** It also reads forms, not only JSON. */
  readonly forms?: true;
  /** A valid request, as those of the calls in the envelope (contracts/http/contract.ts, Example). */
  readonly example: {
    readonly path?: Readonly<Record<string, string>>;
    readonly body?: unknown;
  };
  /** What it is refused for in the envelope, with the status of the code. */
  readonly refuses?: readonly CodeName[];
  /** What it answers with each status. */
  readonly answers: Readonly<Record<number, { readonly meaning: string; readonly data: z.ZodType }>>;
}
