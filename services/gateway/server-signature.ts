import { createHash } from 'node:crypto';
import { type App, verify } from './signature.ts';

/** A request of Pusher's HTTP API as it came. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query as they stood in the request line. */
  readonly url: string;
  readonly body: Buffer | undefined;
}

const mostSecondsApart = 600;

/**
 * Judges the signature that Pusher's server libraries make: over method, path and sorted query, with
 * the body's md5 and the time. Returns what is wrong with it; undefined where nothing is.
 */
export function faultOf(app: App, { method, url, body }: SignedRequest, now: number): string | undefined {
  const [path = '', queryText = ''] = url.split('?', 2);
  const query = new URLSearchParams(queryText);
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
  const md5 = query.get('body_md5');
  const hasBody = body !== undefined && body.length > 0;
  if (!hasBody && md5 === null) return undefined;
  const expected = createHash('md5')
    .update(body ?? '')
    .digest('hex');
  return md5 === expected ? undefined : 'body_md5 is not that of the body';
}
