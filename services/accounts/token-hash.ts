import { hash } from 'node:crypto';

/** What is stored of a token, and names it in the signal `token ended`: its SHA-256, in hexadecimal. */
export type TokenHash = string & { readonly __brand: 'TokenHash' };

const form = /^[0-9a-f]{64}$/;

/** The hash of a token. */
export function tokenHash(token: string): TokenHash {
  return hash('sha256', token, 'hex') as TokenHash;
}

/** Reads what may be the hash of a token; undefined for anything else. */
export function readTokenHash(text: string): TokenHash | undefined {
  return form.test(text) ? (text as TokenHash) : undefined;
}

/** Names a login in events: enough of its token's hash to tell logins apart, too little to find the token by. */
export function sessionOf(hash: TokenHash): string {
  return hash.slice(0, 16);
}
