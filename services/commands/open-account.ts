import { Refusal } from '../../contracts/codes.ts';
import type { Uid } from '../../contracts/ids.ts';
import { befriendAtFirst, friendshipStream } from '../domain/friendship.ts';
import { mustBeActive, userStream } from '../domain/user.ts';
import type { Requester } from '../edge/requester.ts';
import type { Position } from '../log/log.ts';
import type { CommandContext } from './context.ts';
import { execute } from './execute.ts';
import { ownerOfPassword, type PasswordParts } from './password.ts';
import { type RegisteringParts, registerUser } from './register.ts';

type Parts = RegisteringParts & PasswordParts;

/** An account that a member (会员) opens below their own. */
export interface OpenAccount {
  readonly parent: Uid;
  readonly username: string;
  readonly nickname: string;
  readonly avatar: string;
  readonly sign: string;
  readonly password: string;
}

/**
 * Registers a person and makes them the member's friend. These are two streams, so the first append may succeed
 * alone: a repeated call returns the account that it opened before, and completes the rest.
 * @throws Refusal noUser, disabled; illegal if the opener is no member, or the name belongs to another account
 */
export async function openAccount(
  parts: Parts,
  command: OpenAccount,
  requester: Requester,
  context: CommandContext,
): Promise<{ uid: Uid; position: Position }> {
  const { parent } = command;
  const { isMember } = mustBeActive((await parts.store.load(userStream(parent))).state);
  if (!isMember) throw new Refusal('illegal', '只有会员可以添加下级用户');
  const uid =
    (await openedBefore(parts, command, requester, context)) ??
    (await register(parts, command, requester, context));
  const { position } = await execute(parts, friendshipStream(parent, uid), context, (friendship) =>
    befriendAtFirst(friendship, { by: parent, friend: uid }),
  );
  return { uid, position };
}

/** The account that the same call opened before. @throws Refusal illegal if its password is another one */
async function openedBefore(
  parts: Parts,
  command: OpenAccount,
  requester: Requester,
  context: CommandContext,
): Promise<Uid | undefined> {
  const account = await parts.names.byUsername(command.username);
  if (!account) return undefined;
  const { state } = await parts.store.load(userStream(account.uid));
  const same = (['parent', 'nickname', 'avatar', 'sign'] as const).every(
    (field) => state?.[field] === command[field],
  );
  if (!same) return undefined;
  await ownerOfPassword(parts, requester, context, account, command.password, '用户名已被占用');
  return account.uid;
}

async function register(
  parts: Parts,
  { password, ...profile }: OpenAccount,
  requester: Requester,
  context: CommandContext,
): Promise<Uid> {
  const passwordHash = await parts.passwords.hash(password, requester.share);
  const { uid } = await registerUser(parts, { ...profile, phone: null, passwordHash }, context);
  return uid;
}
