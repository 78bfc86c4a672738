import pTimeout from 'p-timeout';
import type { Logger } from 'pino';
import type { Uid } from '../../contracts/ids.ts';
import { deleteAccount as decide, userStream } from '../domain/user.ts';
import { actorOf, type Requester } from '../edge/requester.ts';
import type { Position } from '../log/log.ts';
import type { AccountDeletions } from './account-deletions.ts';
import type { CommandContext } from './context.ts';
import { execute } from './execute.ts';
import type { CommandParts } from './parts.ts';

/** How long a call waits for the ends of friendships and memberships, which go on after it. */
const tiesTimeoutMs = 2_000;

interface Parts extends Pick<CommandParts, 'log' | 'store' | 'security' | 'access'> {
  readonly deletions: Pick<AccountDeletions, 'freeNames' | 'endTies'>;
  readonly logger: Logger;
}

/**
 * Deletes an account for good (docs/behaviour.md, Administration). Deleted already: goes on with what is left of it.
 * @returns the position that shows it, with what ended within 2 s
 * @throws Refusal noUser if nobody ever had the uid
 */
export async function deleteAccount(
  parts: Parts,
  uid: Uid,
  requester: Requester,
  context: CommandContext,
): Promise<Position> {
  const { deletions, security, access, logger } = parts;
  const { events, position } = await execute(parts, userStream(uid), context, decide);
  await deletions.freeNames(uid);
  if (events.length > 0) {
    security.change('an account was deleted', actorOf(requester, uid), "the server's key");
    access.record({ type: 'SessionRevoked', data: { uid, session: null } }, context);
  }
  const ending = deletions.endTies(uid).catch((error: unknown) => {
    logger.warn({ err: error, uid }, 'the deletion of an account goes on later');
    return position;
  });
  return pTimeout(ending, { milliseconds: tiesTimeoutMs, fallback: () => position });
}
