import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { hash, hashSync, type Options, verify } from '@node-rs/argon2';
import { FairQueue, type Share } from '../fair-queue.ts';

/** argon2id is the library's default; the costs are OWASP's, spelt out so that an update changes none. */
const costs: Options = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/**
 * A hash that no password has. It is verified in place of one that is not there, so that an unknown user takes
 * as long as a known one.
 */
export const noPassword = hashSync(randomBytes(16), costs);

/**
 * A hash takes some 35 ms of a core. Of the four threads that Node keeps for such work one is left to files. Who
 * waits longer than 3 s has given up; 200 are what two cores do in that time.
 */
const line = new FairQueue({
  maxRunning: Math.min(3, availableParallelism()),
  maxWaiting: 200,
  timeoutMs: 3000,
});

/**
 * Hashes a password with argon2id, off the event loop, few at once.
 * @param share for whom
 * @throws Refusal tooMany, notReady if too many wait
 */
export function hashPassword(password: string, share: Share): Promise<string> {
  return line.run(share, () => hash(password, costs));
}

/**
 * Whether the password is that of the hash; without a hash it is not, and takes as long.
 * @param share for whom
 * @throws Refusal tooMany, notReady if too many wait
 */
export async function verifyPassword(
  passwordHash: string | undefined,
  password: string,
  share: Share,
): Promise<boolean> {
  const right = await line.run(share, () => verify(passwordHash ?? noPassword, password));
  return right && passwordHash !== undefined;
}
