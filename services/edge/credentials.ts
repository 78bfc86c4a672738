import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { App } from '../app-keys/signature.ts';
import type { SecurityLog } from './security-log.ts';

/** What the headers of a request show of who makes it. A token is still to be verified. */
export type Credentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'server'; readonly valid: boolean }
  | { readonly kind: 'token'; readonly token: string };

interface CredentialsRequest {
  readonly headers: IncomingHttpHeaders;
  readonly ip: string;
  readonly id: string;
}

/**
 * Reads the credentials of a request's headers. The server's key goes before a token; a wrong key is written to the
 * security log.
 */
export function readCredentials(
  request: CredentialsRequest,
  { app, security }: { readonly app: App; readonly security: SecurityLog },
): Credentials {
  const { headers } = request;
  if (showsServerKey(headers)) {
    const { 'x-app-key': key, 'x-app-secret': secret } = headers;
    const valid = equals(key, app.key) && equals(secret, app.secret);
    if (!valid) security.attempt("a server's key was wrong", { address: request.ip, reqId: request.id });
    return { kind: 'server', valid };
  }
  const token = tokenOf(headers);
  return token === undefined ? { kind: 'none' } : { kind: 'token', token };
}

/** Whether a request shows a server's key, right or wrong. */
export function showsServerKey({ 'x-app-key': key, 'x-app-secret': secret }: IncomingHttpHeaders): boolean {
  return key !== undefined || secret !== undefined;
}

/** The token of a header: `Authorization: Bearer …`, or `token`, as older clients send it. */
function tokenOf({ authorization, token }: IncomingHttpHeaders): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
  if (bearer !== undefined) return bearer;
  return typeof token === 'string' && token !== '' ? token : undefined;
}

/** Compares in constant time. */
function equals(given: string | string[] | undefined, expected: string): boolean {
  if (typeof given !== 'string') return false;
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
