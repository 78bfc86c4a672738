import type { Uid } from '../../contracts/ids.ts';
import type { Account } from '../accounts/names.ts';
import { befriendAtFirst, friendshipStream } from '../domain/friendship.ts';
import { userStream } from '../domain/user.ts';
import type { Position } from '../log/log.ts';
import type { CommandContext } from './context.ts';
import { execute } from './execute.ts';
import { type RegisteringParts, registerUser } from './register.ts';

/** An account that a member (会员) opens below their own. */
export interface OpenAccount {
  readonly parent: Uid;
  readonly username: string;
  readonly nickname: string;
  readonly avatar: string;
  readonly sign: string;
  /** Hashes its password. Called only if the account does not exist yet. */
  readonly passwordHash: () => Promise<string>;
  /** Called if the call is a repeat. @throws if the given password is not the account's */
  readonly checkPassword: (account: Account) => Promise<unknown>;
}

/**
 * Registers a person and makes them the member's friend. These are two streams, so the first append may succeed
 * alone: a repeated call returns the account that it opened before, and completes the rest.
 * @throws Refusal illegal if the name belongs to another account
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

/** The account that the same call opened before, if any. */
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
