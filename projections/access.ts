import type { AccessEvent } from '../contracts/events/access.ts';
import type { ProjectionsOf } from './projection.ts';

const nothing = { reads: () => [], apply: () => undefined };

/** Access is for those who audit: no read model shows it, and the projector does not subscribe to it. */
export const accessProjections: ProjectionsOf<AccessEvent> = {
  LoggedIn: nothing,
  LoginFailed: nothing,
  PasswordChanged: nothing,
  SessionEnded: nothing,
  SessionRevoked: nothing,
  FileUploaded: nothing,
  AuditUsed: nothing,
};
