import { type PushCode, pushCodes } from '../../../contracts/push/protocol.ts';
import type { App } from '../../app-keys/signature.ts';
import type { Client, PageRequest } from '../../edge/proxies.ts';
import type { UnexpectedFailures } from '../unexpected.ts';
import type { Session, Sessions } from './sessions.ts';
import { readTicket } from './ticket.ts';

export interface AdmissionOptions {
  readonly app: App;
  readonly sessions: Sessions;
  readonly unexpected: UnexpectedFailures;
  /** The token in the login cookie, if the request's origin may use it. @throws what the settings' source throws. */
  cookieToken(request: PageRequest): Promise<string | undefined>;
}

/** What an upgrade request says of its sender. */
export interface Credentials {
  readonly page: PageRequest & Client;
  /** The app key in the path. */
  readonly key: string | undefined;
  /** The ticket in the path, if there is one. */
  readonly ticket: string | undefined;
  /** The token in the query. */
  readonly token: string | undefined;
}

/** The session of an admitted socket (undefined: anonymous), or why the socket is refused. */
export type Verdict =
  | { readonly session: Session | undefined }
  | { readonly code: PushCode; readonly message: string };

/**
 * Judges an upgrade request. A socket with an invalid token or ticket is refused. An invalid login cookie makes
 * the socket anonymous instead, because pages cannot leave cookies out (docs/realtime.md, "Who listens"). Never throws.
 */
export async function admit(options: AdmissionOptions, credentials: Credentials): Promise<Verdict> {
  if (credentials.key !== options.app.key) {
    return { code: pushCodes.unknownKey, message: 'no application has this key' };
  }
  try {
    return await sessionOf(options, credentials);
  } catch (error) {
    options.unexpected.note(error);
    return { code: pushCodes.overCapacity, message: 'not ready: come again' };
  }
}

async function sessionOf(
  { app, sessions, cookieToken }: AdmissionOptions,
  { token, ticket, page }: Credentials,
): Promise<Verdict> {
  if (token !== undefined) return mustBeValid(await sessions.verify(token));
  if (ticket !== undefined) {
    const tokenHash = readTicket(app, ticket);
    return mustBeValid(tokenHash === undefined ? undefined : await sessions.verifyHash(tokenHash));
  }
  const cookie = page.headers.cookie === undefined ? undefined : await cookieToken(page);
  return { session: cookie === undefined ? undefined : await sessions.verify(cookie) };
}

function mustBeValid(session: Session | undefined): Verdict {
  return session === undefined ? { code: pushCodes.tokenEnded, message: 'the token has ended' } : { session };
}
