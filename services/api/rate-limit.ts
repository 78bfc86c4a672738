import { LRUCache } from 'lru-cache';
import { Refusal } from '../../contracts/codes.ts';
import type { Settings } from '../../contracts/settings.ts';
import type { Caller } from './caller.ts';

/** Turns taken in the present second, by token or address; bounded, so that no crowd of addresses grows it. */
const taken = new LRUCache<string, { second: number; count: number }>({ max: 100_000 });

/**
 * Counts a request against its caller's limit a second: the server's key has none, a token and an
 * address without one have those of the settings. The process's own: a limit is against abuse.
 * @throws Refusal tooMany
 */
export function takeTurn(caller: Caller, address: string, settings: Settings): void {
  if (caller.kind === 'server') return;
  const [key, most] =
    caller.kind === 'user' ? [caller.token, settings.limit_token] : [address, settings.limit_address];
  const second = Math.floor(performance.now() / 1000);
  const turns = taken.get(key);
  if (turns?.second !== second) taken.set(key, { second, count: 1 });
  else if (++turns.count > most) throw new Refusal('tooMany');
}

/** When those who may do something so often did it last, in milliseconds. */
const recent = new LRUCache<string, number[]>({ max: 100_000 });

/**
 * Lets something be done `most` times in `seconds`.
 * @throws Refusal illegal beyond
 */
export function mustNotHurry(key: string, most: number, seconds: number): void {
  const now = performance.now();
  const times = (recent.get(key) ?? []).filter((time) => now - time < seconds * 1000);
  if (times.length >= most) throw new Refusal('illegal', '操作过于频繁,请稍后再试');
  recent.set(key, [...times, now]);
}
