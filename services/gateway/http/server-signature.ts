import { createHash } from 'node:crypto';
import { type App, verify } from '../../app-keys/signature.ts';

/** A request of Pusher's HTTP API. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query, exactly as in the request line. */
  readonly url: string;
}

const maxClockDifferenceSeconds = 600;

/**
 * Checks the signature that Pusher's server libraries make of method, path and sorted query; the query contains the
 * time and the body's md5.
 * @returns what is wrong with it; undefined if it is valid
 */
export function signatureFault(app: App, { method, url }: SignedRequest, nowMs: number): string | undefined {
  const { path, query } = partsOf(url);
  const signature = query.get('auth_signature') ?? '';
  query.delete('auth_signature');
  if (query.get('auth_key') !== app.key) return 'auth_key is not known';
  if (query.get('auth_version') !== '1.0') return 'auth_version is not 1.0';
  const parameters = [...query].sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0));
  const signed = [method, path, parameters.map(([name, value]) => `${name}=${value}`).join('&')].join('\n');
  if (!verify(app, signed, signature)) return 'auth_signature is not right';
  const timestamp = query.get('auth_timestamp') ?? '';
  const difference = Math.abs(nowMs / 1000 - Number(timestamp));
  if (!/^\d{1,12}$/.test(timestamp) || difference > maxClockDifferenceSeconds) {
    return 'auth_timestamp is not of now';
  }
  return undefined;
}

/** Checks the body against the md5 in the query. @returns what is wrong with it; undefined if they fit */
export function bodyFault(url: string, body: Buffer | undefined): string | undefined {
  const md5 = partsOf(url).query.get('body_md5');
  const hasBody = body !== undefined && body.length > 0;
  if (!hasBody && md5 === null) return undefined;
  const expected = createHash('md5')
    .update(body ?? '')
    .digest('hex');
  return md5 === expected ? undefined : 'body_md5 is not that of the body';
}

/** Splits at the first question mark; further ones belong to the query, as in the signature. */
function partsOf(url: string): { path: string; query: URLSearchParams } {
  const mark = url.includes('?') ? url.indexOf('?') : url.length;
  return { path: url.slice(0, mark), query: new URLSearchParams(url.slice(mark + 1)) };
}
