import { z } from 'zod';
import { Uid } from '../ids.ts';
import { type EventOf, event } from './event.ts';

/** How many more of this kind happened in the stream before this one, which were not recorded one by one. */
const suppressed = z.int().positive().optional();

/** Which login, as `session` in the metadata of events. */
const Session = z.string();

/**
 * Stream `access-{uid}`, or `access` if it is not known who: who came in, and what they took along or were let to
 * see. No password, token, SMS code, or name that was tried is in them.
 */
export const accessEvents = [
  event('LoggedIn', z.object({ uid: Uid, session: Session, suppressed })),
  /** A wrong password, or one too many in a minute. `uid`: who has the name that was given; null: nobody has. */
  event('LoginFailed', z.object({ uid: Uid.nullable(), suppressed })),
  /** `by`: what showed that it is allowed. All sessions of the person end with it. */
  event('PasswordChanged', z.object({ uid: Uid, by: z.enum(['server', 'password', 'code']), suppressed })),
  /** `session`: null if all of the person's ended. `crowded out`: they logged in too often since. */
  event(
    'SessionEnded',
    z.object({
      uid: Uid,
      session: Session.nullable(),
      why: z.enum(['logout', 'account disabled', 'crowded out']),
      suppressed,
    }),
  ),
  /** The server's key ended a session of the person; null: all of them. */
  event('SessionRevoked', z.object({ uid: Uid, session: Session.nullable(), suppressed })),
  /** `uid`: null for the server's key, acting for nobody. `path` as in the URL, after /upload/. */
  event(
    'FileUploaded',
    z.object({ uid: Uid.nullable(), path: z.string(), bytes: z.int().nonnegative(), suppressed }),
  ),
  /**
   * The past was asked about: by a call of /audit, with its path and its parameters as `name=value`; or by a command in a
   * shell, with its name and its arguments. Secrets are left out.
   */
  event('AuditUsed', z.object({ command: z.string(), arguments: z.array(z.string()), suppressed })),
] as const;

export type AccessEvent = EventOf<(typeof accessEvents)[number]>;
