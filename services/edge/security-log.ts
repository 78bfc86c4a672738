import type { Logger } from 'pino';
import type { Uid } from '../../contracts/ids.ts';
import { TokenBucket } from './token-bucket.ts';

/** Who did something, and from where. Given usernames are left out: people type passwords there. */
export interface Actor {
  readonly address: string;
  /** Whose account is concerned, if that is known. */
  readonly uid?: Uid | undefined;
  readonly reqId?: string;
}

/** What anyone can cause as often as they like. */
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
  | 'an account was enabled'
  | 'an account was deleted';

/** Log lines about security. They never hold a password, a token, a key or a code. */
export interface SecurityLog {
  /** Many attempts of one kind are not all logged; the next line has the number of the others as `suppressed`. */
  attempt(what: Attempt, actor: Actor, details?: Readonly<Record<string, string | number>>): void;
  /** @param by what showed that the change is allowed */
  change(what: Change, actor: Actor, by: "the server's key" | 'the old password' | 'an SMS code'): void;
}

/** Lines about attempts of one kind, as a token bucket: an attack must not fill the disk. */
const burst = 20;
const refillPerSecond = 1;

/** Writes lines about security to a log. */
export function createSecurityLog(logger: Logger): SecurityLog {
  const attempts = new Map<Attempt, { readonly bucket: TokenBucket; suppressed: number }>();
  return {
    attempt(what, actor, details) {
      const now = performance.now();
      const kind = attempts.get(what) ?? { bucket: new TokenBucket(burst, now), suppressed: 0 };
      attempts.set(what, kind);
      if (!kind.bucket.take(burst, refillPerSecond, now)) {
        kind.suppressed += 1;
        return;
      }
      logger.warn(
        { ...actor, ...details, ...(kind.suppressed > 0 && { suppressed: kind.suppressed }) },
        what,
      );
      kind.suppressed = 0;
    },
    change: (what, actor, by) => logger.info({ ...actor, by }, what),
  };
}
