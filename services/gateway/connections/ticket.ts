import { type App, sign, verify } from '../../app-keys/signature.ts';

/**
 * A ticket stands for a login session in the path of a websocket's address, for clients that have neither a
 * cookie nor a way to name a token. It holds the hash of the session's token, from which no call of the API
 * can be made: whoever reads it in the log of a proxy can hear until the session ends, and nothing else.
 */
export function ticketOf(app: App, session: string): string {
  return `${session}-${sign(app, textOf(session))}`;
}

/** The session of a ticket; undefined if we did not sign it. */
export function readTicket(app: App, ticket: string): string | undefined {
  const [, session, signature] = /^([0-9a-f]{64})-([0-9a-f]{64})$/.exec(ticket) ?? [];
  if (session === undefined || signature === undefined) return undefined;
  return verify(app, textOf(session), signature) ? session : undefined;
}

/** Begins unlike every text that is signed for a socket: those begin with digits. */
function textOf(session: string): string {
  return `ticket:${session}`;
}
