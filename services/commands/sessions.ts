import { Refusal } from '../../contracts/codes.ts';
import type { Uid } from '../../contracts/ids.ts';
import { mustExist, userStream } from '../domain/user.ts';
import type { CommandContext } from './context.ts';
import type { CommandParts } from './parts.ts';

type Parts = Pick<CommandParts, 'store' | 'sessions' | 'tokens' | 'access'>;

/**
 * Ends a session of a person, or all of them; their sockets close.
 * @param session its name; undefined: all
 * @throws Refusal noUser; noRecord if the person has no such session
 */
export async function endSession(
  { store, sessions, tokens, access }: Parts,
  { uid, session }: { readonly uid: Uid; readonly session: string | undefined },
  context: CommandContext,
): Promise<void> {
  mustExist((await store.load(userStream(uid))).state);
  if (session === undefined) await tokens.endAll(uid);
  else {
    const ended = await sessions.tokensOf(uid, session);
    if (ended.length === 0) throw new Refusal('noRecord', '会话不存在或已结束');
    for (const tokenHash of ended) await tokens.end(tokenHash);
  }
  access.record({ type: 'SessionRevoked', data: { uid, session: session ?? null } }, context);
}
