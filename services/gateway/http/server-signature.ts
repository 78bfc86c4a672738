import { createHash } from 'node:crypto';
import { type App, verify } from '../../app-keys/signature.ts';

/** A request of Pusher's HTTP API as it came. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query as they stood in the request line. */
  readonly url: string;
}

const mostSecondsApart = 600;

/**
 * Judges the signature that Pusher's server libraries make: over method, path and sorted query, which holds
 * the time and the body's md5. Says what is wrong with it; undefined if nothing is.
 */
export function signatureFault(app: App, { method, url }: SignedRequest, now: number): string | undefined {
  const { path, query } = partsOf(url);
  const signature = query.get('auth_signature') ?? '';
  query.delete('auth_signature');
  if (query.get('auth_key') !== app.key) return 'auth_key is not known';
  if (query.get('auth_version') !== '1.0') return 'auth_version is not 1.0';
  const parameters = [...query].sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0));
  const signed = [method, path, parameters.map(([name, value]) => `${name}=${value}`).join('&')].join('\n');
  if (!verify(app, signed, signature)) return 'auth_signature is not right';
  const timestamp = query.get('auth_timestamp') ?? '';
  const apart = Math.abs(now / 1000 - Number(timestamp));
  if (!/^\d{1,12}$/.test(timestamp) || apart > mostSecondsApart) return 'auth_timestamp is not of now';
  return undefined;
}

/** Says whether a body is not the one whose md5 stands in the query; undefined if it is. */
export function bodyFault(url: string, body: Buffer | undefined): string | undefined {
  const md5 = partsOf(url).query.get('body_md5');
  const hasBody = body !== undefined && body.length > 0;
  if (!hasBody && md5 === null) return undefined;
  const expected = createHash('md5')
    .update(body ?? '')
    .digest('hex');
  return md5 === expected ? undefined : 'body_md5 is not that of the body';
}

/** All behind the first question mark is the query, further ones too: what is read of it is what was signed. */
function partsOf(url: string): { path: string; query: URLSearchParams } {
  const mark = url.includes('?') ? url.indexOf('?') : url.length;
  return { path: url.slice(0, mark), query: new URLSearchParams(url.slice(mark + 1)) };
}
