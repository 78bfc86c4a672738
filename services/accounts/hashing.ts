import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { hash, hashSync, type Options, verify } from '@node-rs/argon2';
import { FairQueue, type Share } from '../fair-queue.ts';

/** argon2id is the library's default; the costs are OWASP's, spelt out so that an update changes none. */
const costs: Options = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** A hash that no password has. It is verified for an unknown user, so that the answer takes as long as for a known one. */
export const noPassword = hashSync(randomBytes(16), costs);

/**
 * A hash takes some 35 ms of a core. Node has four threads for such work; one is left to files. After 3 s a caller
 * has given up; two cores make 200 hashes in that time.
 */
const queue = new FairQueue({
  maxRunning: Math.min(3, availableParallelism()),
  maxWaiting: 200,
  timeoutMs: 3000,
});

/**
 * Hashes a password with argon2id on other threads than the event loop's.
 * @param share whose password it is
 * @throws Refusal tooMany, notReady if too many wait
 */
export function hashPassword(password: string, share: Share): Promise<string> {
  return queue.run(share, () => hash(password, costs));
}

/**
 * Whether the password is that of the hash. Without a hash it is not, which takes as long.
 * @param share whose request it is
 * @throws Refusal tooMany, notReady if too many wait
 */
export async function verifyPassword(
  passwordHash: string | undefined,
  password: string,
  share: Share,
): Promise<boolean> {
  const right = await queue.run(share, () => verify(passwordHash ?? noPassword, password));
  return right && passwordHash !== undefined;
}
