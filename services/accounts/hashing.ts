import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { hash, hashSync, type Options, verify } from '@node-rs/argon2';
import { Refusal } from '../../contracts/codes.ts';

/** argon2id is the library's default; the costs are OWASP's, spelt out so that an update changes none. */
const costs: Options = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Verified in place of a hash that is not there, so that an unknown user takes as long as a known one. */
const nobody = hashSync(randomBytes(16), costs);

/** Of the four threads that Node keeps for such work one is left to files. */
const atOnce = Math.min(3, availableParallelism());
const mostWaiting = 500;
let running = 0;
const waiting: (() => void)[] = [];

/** Runs the work when its turn has come. */
async function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  if (running >= atOnce) {
    if (waiting.length >= mostWaiting) throw new Refusal('notReady');
    // Whoever ends hands its place on, so `running` stays as it is.
    await new Promise<void>((resolve) => waiting.push(resolve));
  } else running++;
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next) next();
    else running--;
  }
}

/**
 * Hashes a password with argon2id, off the event loop, few at once.
 * @throws Refusal `notReady` where too many wait.
 */
export function hashPassword(password: string): Promise<string> {
  return inTurn(() => hash(password, costs));
}

/**
 * Whether the password is that of the hash; without a hash it is not, and takes as long.
 * @throws Refusal `notReady` where too many wait.
 */
export async function verifyPassword(passwordHash: string | undefined, password: string): Promise<boolean> {
  const right = await inTurn(() => verify(passwordHash ?? nobody, password));
  return right && passwordHash !== undefined;
}
