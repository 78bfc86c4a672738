import type { Uid } from '../../contracts/ids.ts';
import type { Application } from '../../services/api/application.ts';
import type { CommandContext } from '../../services/commands/context.ts';
import { execute } from '../../services/commands/execute.ts';
import { registerUser } from '../../services/commands/register.ts';
import { befriend, friendshipStream } from '../../services/domain/friendship.ts';
import { changeAccount, userStream } from '../../services/domain/user.ts';
import type { Requester } from '../../services/edge/requester.ts';

/* What people do, without HTTP: the commands as the routes carry them out. */

/** A request of `actor` at `time`, in milliseconds since 1970; now if it does not matter. */
export function context(actor: Uid | 'server', time: number = Date.now()): CommandContext {
  return { actor: actor === 'server' ? actor : `${actor}`, correlationId: 'test', time };
}

/** A request's sender, for limits and the security log. */
export const requester: Requester = {
  address: '127.0.0.1',
  reqId: 'test',
  share: { of: 'test', maxWaiting: Number.POSITIVE_INFINITY },
};

/** Registers under a username; the password cannot be given by anyone. */
export function registerAs(application: Application, username: string, phone: string | null = null) {
  const passwordHash = 'no hash, so no password';
  const account = { username, nickname: '甲', avatar: '', sign: '', phone, passwordHash, parent: null };
  return registerUser(application, account, context('server'));
}

let accounts = 0;

/** Registers someone of that nickname, who cannot log in. */
export async function register(application: Application, nickname: string): Promise<Uid> {
  const username = `person${++accounts}`;
  const passwordHash = 'no hash, so no password';
  const account = { username, nickname, avatar: '', sign: '', phone: null, passwordHash, parent: null };
  return (await registerUser(application, account, context('server'))).uid;
}

/** Registers a member (会员) of that nickname. */
export async function registerMember(application: Application, nickname: string): Promise<Uid> {
  const uid = await register(application, nickname);
  await execute(application, userStream(uid), context('server'), (state) =>
    changeAccount(state, { isMember: true }),
  );
  return uid;
}

/** Makes two people friends. */
export async function makeFriends(application: Application, by: Uid, friend: Uid): Promise<void> {
  await execute(application, friendshipStream(by, friend), context('server'), (state) =>
    befriend(state, { by, friend }),
  );
}
