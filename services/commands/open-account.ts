import type { Uid } from '../../contracts/ids.ts';
import type { Account } from '../accounts/names.ts';
import { befriendAtFirst, friendshipStream } from '../domain/friendship.ts';
import { userStream } from '../domain/user.ts';
import type { Position } from '../log/log.ts';
import type { CommandContext } from './context.ts';
import { execute } from './execute.ts';
import { type RegisteringParts, registerUser } from './register.ts';

/** What an account is opened with that a member (会员) has below their own. */
export interface OpenAccount {
  readonly parent: Uid;
  readonly username: string;
  readonly nickname: string;
  readonly avatar: string;
  readonly sign: string;
  /** Hashes its password. Asked only where it is no repeat. */
  readonly passwordHash: () => Promise<string>;
  /** Where it is a repeat. @throws what forbids opening it under another password than it has */
  readonly checkPassword: (account: Account) => Promise<unknown>;
}

/**
 * Registers a person and makes them the member's friend. These are two streams: whoever repeats the
 * call is given the account that it opened, and what was not done then is done now.
 * @throws Refusal illegal where a name is taken
 */
export async function openAccount(
  parts: RegisteringParts,
  command: OpenAccount,
  context: CommandContext,
): Promise<{ uid: Uid; position: Position }> {
  const { parent } = command;
  const uid = (await opened(parts, command)) ?? (await register(parts, command, context));
  const { position } = await execute(parts, friendshipStream(parent, uid), context, (friendship) =>
    befriendAtFirst(friendship, { by: parent, friend: uid }),
  );
  return { uid, position };
}

/** The account that the same call opened before. */
async function opened({ names, store }: RegisteringParts, command: OpenAccount): Promise<Uid | undefined> {
  const account = await names.byUsername(command.username);
  if (!account) return undefined;
  const { state } = await store.load(userStream(account.uid));
  const same = (['parent', 'nickname', 'avatar', 'sign'] as const).every(
    (field) => state?.[field] === command[field],
  );
  if (!same) return undefined;
  await command.checkPassword(account);
  return account.uid;
}

async function register(
  parts: RegisteringParts,
  command: OpenAccount,
  context: CommandContext,
): Promise<Uid> {
  const { parent, username, nickname, avatar, sign } = command;
  const profile = { parent, username, nickname, avatar, sign, phone: null };
  const { uid } = await registerUser(
    parts,
    { ...profile, passwordHash: await command.passwordHash() },
    context,
  );
  return uid;
}
