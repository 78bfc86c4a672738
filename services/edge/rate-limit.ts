import { LRUCache } from 'lru-cache';
import { Refusal } from '../../contracts/codes.ts';
import type { Settings } from '../../contracts/settings.ts';
import { networkOf } from './client-network.ts';

/**
 * What counts as much as one call. Light requests are reading a file, since a page shows many pictures, and
 * signing a subscription, since a client subscribes to all its groups at once.
 */
export const lightRequestsToACall = 10;

/** Of so many tokens, networks and people the last second or minute is remembered; the oldest are forgotten. */
const mostRemembered = 100_000;

/** The settings that limit requests. */
export type RequestLimits = Pick<Settings, 'limit_address' | 'limit_token'>;

/** Turns taken in the present second, by token or network. */
const taken = new LRUCache<string, { second: number; count: number }>({ max: mostRemembered });

/**
 * Counts a request of an address without a valid token against the setting `limit_address`. The process's
 * own, as all these limits: a limit is against abuse.
 * @throws Refusal tooMany
 */
export function takeAddressTurn(
  address: string,
  { limit_address }: Pick<Settings, 'limit_address'>,
  kind: 'call' | 'light' = 'call',
): void {
  const most = kind === 'call' ? limit_address : limit_address * lightRequestsToACall;
  takeTurn(`${kind} ${networkOf(address)}`, most);
}

/**
 * Counts a request of a valid token, by its hash, against the setting `limit_token`.
 * @throws Refusal tooMany
 */
export function takeTokenTurn(token: string, { limit_token }: Pick<Settings, 'limit_token'>): void {
  takeTurn(token, limit_token);
}

function takeTurn(key: string, most: number): void {
  const second = Math.floor(performance.now() / 1000);
  const turns = taken.get(key);
  if (turns?.second !== second) taken.set(key, { second, count: 1 });
  else if (++turns.count > most) throw new Refusal('tooMany');
}
