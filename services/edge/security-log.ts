import type { Logger } from 'pino';
import type { Uid } from '../../contracts/ids.ts';
import { TokenBucket } from './token-bucket.ts';

/** Who did something, and from where. Names that were given are left out: people type passwords there. */
export interface Actor {
  readonly address: string;
  /** Whose account it is about, if that is known. */
  readonly uid?: Uid | undefined;
  readonly reqId?: string;
}

/** What strangers can cause as often as they like. */
type Attempt =
  | 'a password was wrong'
  | 'too many passwords were wrong'
  | "a server's key was wrong"
  | 'a signature of the HTTP side was wrong'
  | 'a socket was refused';

/** What was changed by someone who may change it. */
type Change =
  | 'a password was changed'
  | 'a phone was bound'
  | 'an account was disabled'
  | 'an account was enabled';

/** The lines of the log that concern security. They never hold a password, a token, a key or a code. */
export interface SecurityLog {
  /** Of many attempts of one kind some are suppressed; the next line says how many, as `suppressed`. */
  attempt(what: Attempt, actor: Actor, details?: Readonly<Record<string, string | number>>): void;
  /** @param by what showed that the change is allowed */
  change(what: Change, actor: Actor, by: "the server's key" | 'the old password' | 'an SMS code'): void;
}

/** Attempts of one kind that are told at once, and a second in the long run: an attack must not fill a disk. */
const atOnce = 20;
const eachSecond = 1;

/** Tells of security in a log. */
export function createSecurityLog(logger: Logger): SecurityLog {
  const attempts = new Map<Attempt, { readonly bucket: TokenBucket; suppressed: number }>();
  return {
    attempt(what, actor, details) {
      const now = performance.now();
      const told = attempts.get(what) ?? { bucket: new TokenBucket(atOnce, now), suppressed: 0 };
      attempts.set(what, told);
      if (!told.bucket.take(atOnce, eachSecond, now)) {
        told.suppressed += 1;
        return;
      }
      logger.warn(
        { ...actor, ...details, ...(told.suppressed > 0 && { suppressed: told.suppressed }) },
        what,
      );
      told.suppressed = 0;
    },
    change: (what, actor, by) => logger.info({ ...actor, by }, what),
  };
}
