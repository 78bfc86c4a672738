import { type App, sign, verify } from '../../app-keys/signature.ts';

/**
 * Makes a ticket: a token's signed hash in the path of a websocket's address, for clients that have neither a
 * cookie nor a way to send a token. No call of the API accepts a ticket: somebody who reads it in a proxy's log
 * can listen until the token ends, and do nothing else.
 */
export function ticketOf(app: App, tokenHash: string): string {
  return `${tokenHash}-${sign(app, signedText(tokenHash))}`;
}

/** The token's hash in a ticket; undefined if the ticket is not signed by this app's secret. */
export function readTicket(app: App, ticket: string): string | undefined {
  const [, tokenHash, signature] = /^([0-9a-f]{64})-([0-9a-f]{64})$/.exec(ticket) ?? [];
  if (tokenHash === undefined || signature === undefined) return undefined;
  return verify(app, signedText(tokenHash), signature) ? tokenHash : undefined;
}

/** No other signed text begins like this: those of sockets begin with a digit. */
function signedText(tokenHash: string): string {
  return `ticket:${tokenHash}`;
}
