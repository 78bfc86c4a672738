import { Refusal } from '../../contracts/codes.ts';
import type { Settings } from '../../contracts/settings.ts';
import { growingCache } from '../growing-cache.ts';
import { networkOf } from './client-network.ts';
import { TokenBucket } from './token-bucket.ts';

/**
 * How many light requests an address may make in place of one call. They are reading a file, since a page shows many
 * pictures, and signing a subscription, since a client subscribes to all its groups at once.
 */
const lightRequestsToACall = 10;

/** Tokens and networks that are remembered; the least recently used are forgotten. */
const maxRemembered = 100_000;

/** The settings that limit requests. */
export type RequestLimits = Pick<Settings, 'limit_address' | 'limit_token'>;

/** Requests of the current second, by token or network. */
const counts = growingCache<string, { second: number; count: number }>(maxRemembered);

/**
 * Counts a request without a valid token against the setting `limit_address` of its address. These limits are
 * against abuse, and so each process counts for itself.
 * @throws Refusal tooMany
 */
export function countAddressRequest(
  address: string,
  { limit_address }: Pick<Settings, 'limit_address'>,
  kind: 'call' | 'light' = 'call',
): void {
  const max = kind === 'call' ? limit_address : limit_address * lightRequestsToACall;
  count(`${kind} ${networkOf(address)}`, max);
}

/**
 * Counts a request with a valid token against the setting `limit_token`.
 * @throws Refusal tooMany
 */
export function countTokenRequest(tokenHash: string, { limit_token }: Pick<Settings, 'limit_token'>): void {
  count(tokenHash, limit_token);
}

/** Of a command's parameters; each full one counts as one command more. */
const kilobyte = 1_024;
const secondsAnHour = 3_600;

/** The commands that each person may make yet. */
const commands = growingCache<string, TokenBucket>(maxRemembered);

/**
 * Counts a command against the setting `limit_commands` of its person: an hour's commands may come at once. What they
 * leave in the log stays for ever.
 * @param bytes of its parameters
 * @throws Refusal tooMany
 */
export function countCommand(
  person: string,
  bytes: number,
  { limit_commands: max }: Pick<Settings, 'limit_commands'>,
): void {
  const now = performance.now();
  const bucket = commands.get(person) ?? new TokenBucket(max, now);
  commands.set(person, bucket);
  const count = Math.min(max, 1 + Math.floor(bytes / kilobyte));
  if (!bucket.take(max, max / secondsAnHour, now, count)) throw new Refusal('tooMany');
}

function count(key: string, max: number): void {
  const second = Math.floor(performance.now() / 1000);
  const counted = counts.get(key);
  if (counted?.second !== second) counts.set(key, { second, count: 1 });
  else if (++counted.count > max) throw new Refusal('tooMany');
}
