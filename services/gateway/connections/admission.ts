import { type PushCode, pushCodes } from '../../../contracts/push/protocol.ts';
import type { App } from '../../app-keys/signature.ts';
import type { Client, PageRequest } from '../../edge/proxies.ts';
import type { Session, Sessions } from './sessions.ts';
import { readTicket } from './ticket.ts';

export interface AdmissionOptions {
  readonly app: App;
  readonly sessions: Sessions;
  /** The token of the login cookie, if the request's origin may use it. @throws what the settings' source throws. */
  cookieToken(request: PageRequest): Promise<string | undefined>;
}

/** What an upgrade request shows of its sender. */
export interface Shown {
  readonly page: PageRequest & Client;
  /** The app key of the path. */
  readonly key: string | undefined;
  /** The ticket of the path, if there is one. */
  readonly ticket: string | undefined;
  /** The query's token. */
  readonly token: string | undefined;
}

/** Whose socket it is (undefined: nobody's), or why it is refused. */
export type Verdict =
  | { readonly session: Session | undefined }
  | { readonly code: PushCode; readonly message: string };

/**
 * Judges an upgrade request. A token of the query or a ticket of the path must be valid, or the socket is
 * refused; a login cookie that is no longer valid makes the socket anonymous, because pages cannot leave it out
 * (docs/realtime.md, "Who hears").
 */
export async function admit(options: AdmissionOptions, shown: Shown): Promise<Verdict> {
  if (shown.key !== options.app.key) {
    return { code: pushCodes.unknownKey, message: 'no application has this key' };
  }
  try {
    return await sessionOf(options, shown);
  } catch {
    return { code: pushCodes.overCapacity, message: 'not ready: come again' };
  }
}

async function sessionOf(
  { app, sessions, cookieToken }: AdmissionOptions,
  { token, ticket, page }: Shown,
): Promise<Verdict> {
  if (token !== undefined) return mustHave(await sessions.verify(token));
  if (ticket !== undefined) {
    const hash = readTicket(app, ticket);
    return mustHave(hash === undefined ? undefined : await sessions.standing(hash));
  }
  const cookie = page.headers.cookie === undefined ? undefined : await cookieToken(page);
  return { session: cookie === undefined ? undefined : await sessions.verify(cookie) };
}

function mustHave(session: Session | undefined): Verdict {
  return session === undefined ? { code: pushCodes.tokenEnded, message: 'the token has ended' } : { session };
}
