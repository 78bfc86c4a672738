import { parseCookie } from 'cookie';
import type { FastifyRequest } from 'fastify';
import { Refusal } from '../../contracts/codes.ts';
import type { Access } from '../../contracts/http/contract.ts';
import * as parameter from '../../contracts/http/parameters.ts';
import type { Uid } from '../../contracts/ids.ts';
import type { Settings } from '../../contracts/settings.ts';
import type { TokenHash } from '../accounts/token-hash.ts';
import { networkOf } from '../edge/client-network.ts';
import { readCredentials } from '../edge/credentials.ts';
import type { PageRequest } from '../edge/proxies.ts';
import type { Requester } from '../edge/requester.ts';
import type { Share } from '../fair-queue.ts';
import type { Application } from './application.ts';

/** Who makes a request, by the token or key that it shows. */
export type Caller =
  | { readonly kind: 'nobody' }
  | { readonly kind: 'user'; readonly uid: Uid; readonly tokenHash: TokenHash }
  | { readonly kind: 'server' };

/** The cookie that login sets for legacy pages. */
export const tokenCookie = 'token';

/** The other origins whose cookie is accepted, by the setting `origins`. */
function allowedOrigins({ origins }: Pick<Settings, 'origins'>): readonly string[] {
  return origins
    .split(',')
    .map((origin) => origin.trim())
    .filter(Boolean);
}

/**
 * Who makes a request. A wrong key is refused even if anyone may call; an invalid token counts as none.
 * @throws Refusal illegal for a wrong key
 */
export async function identify(
  request: FastifyRequest,
  application: Pick<Application, 'app' | 'tokens' | 'security'>,
  settings: Settings,
): Promise<Caller> {
  const credentials = readCredentials(request, application);
  if (credentials.kind === 'server') {
    if (!credentials.valid) throw new Refusal('illegal', 'X-App-Key或X-App-Secret不正确');
    return { kind: 'server' };
  }
  const token = credentials.kind === 'token' ? credentials.token : cookieToken(request, settings);
  const owner = token === undefined ? undefined : await application.tokens.verify(token, settings.token_days);
  return owner ? { kind: 'user', uid: owner.uid, tokenHash: owner.tokenHash } : { kind: 'nobody' };
}

/** How many passwords of one address or person may wait to be hashed: half a second's work of two cores. */
const maxWaitingHashes = 30;

/** QR codes and captchas of one address or person that may wait to be drawn: a page shows a few. */
export const maxDrawingsWaiting = 10;

/**
 * Whose share of a limited resource a request uses. The server's key has no limit: it acts for many people.
 * @param maxWaiting how much of one person or address may wait; by default of passwords to hash
 */
export function shareOf(request: FastifyRequest, maxWaiting = maxWaitingHashes): Share {
  if (request.caller?.kind === 'server') return { of: 'server', maxWaiting: Number.POSITIVE_INFINITY };
  return { of: callerKey(request), maxWaiting };
}

/** Whom limits count a request for: the person, the server's key at its address, or the address. */
export function callerKey(request: FastifyRequest): string {
  const { caller } = request;
  if (caller?.kind === 'user') return `user ${caller.uid}`;
  return caller?.kind === 'server' ? `server ${request.ip}` : networkOf(request.ip);
}

/** Who makes a request, for limits and the security log. */
export function requesterOf(request: FastifyRequest): Requester {
  return { address: request.ip, reqId: request.id, share: shareOf(request) };
}

/** The value of a request's cookie; undefined if it has none of this name. */
export function cookieOf(
  { headers: { cookie } }: Pick<PageRequest, 'headers'>,
  name: string,
): string | undefined {
  if (cookie === undefined) return undefined;
  // One alone: reading all of 48 KB of cookies would take milliseconds, before the address is counted.
  const [, pair] = new RegExp(`(?:^|;) *(${name}=[^;]*)`).exec(cookie) ?? [];
  return pair === undefined ? undefined : parseCookie(pair)[name];
}

/** The cookie's token, if the request comes from no page, one of our own, or an allowed one. */
export function cookieToken(request: PageRequest, settings: Pick<Settings, 'origins'>): string | undefined {
  const { origin } = request.headers;
  const token = cookieOf(request, tokenCookie);
  if (token === undefined || origin === undefined) return token;
  return isTrusted(origin, request, settings) ? token : undefined;
}

/**
 * Whether a page of this origin may act by its visitor's cookie: one of our own, or an allowed one. Our own pages
 * have the host that the request names, or that a trusted proxy names. If the request came over https, a page that
 * came over http is not ours: others may have changed it.
 */
export function isTrusted(
  origin: string,
  { protocol, host }: Pick<PageRequest, 'protocol' | 'host'>,
  settings: Pick<Settings, 'origins'>,
): boolean {
  const schemes = protocol === 'https' ? ['https'] : ['https', 'http'];
  const own = schemes.some((scheme) => origin === originOf(`${scheme}://${host}`));
  return own || allowedOrigins(settings).includes(origin);
}

/** A URL's origin as browsers write it, without the default port of the scheme. */
function originOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).origin : undefined;
}

/**
 * The person for whom the caller acts, if they may call: the token's owner, or `login_uid` of the server's key.
 * @throws Refusal notLoggedIn, illegal, missing
 */
export function authorize(
  caller: Caller,
  access: Access,
  parameters: Readonly<Record<string, unknown>>,
): Uid | undefined {
  const given = parameters.login_uid === '' ? undefined : (parameters.login_uid ?? undefined);
  if (access === 'open') return caller.kind === 'user' ? caller.uid : undefined;
  if (caller.kind === 'nobody') throw new Refusal('notLoggedIn');
  if (caller.kind === 'user') {
    if (access === 'server' || access === 'server as user')
      throw new Refusal('illegal', '没有权限调用该接口');
    if (given === undefined) return caller.uid;
    const own = parameter.uid.safeParse(given);
    if (!own.success || own.data !== caller.uid) throw Refusal.illegal('login_uid');
    return caller.uid;
  }
  if (access === 'server') return undefined;
  if (given === undefined && access === 'known') return undefined;
  if (given === undefined) throw Refusal.missing('login_uid');
  const uid = parameter.uid.safeParse(given);
  if (!uid.success) throw Refusal.illegal('login_uid');
  return uid.data;
}
