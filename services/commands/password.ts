import { Refusal } from '../../contracts/codes.ts';
import type { Account } from '../accounts/account-rows.ts';
import { userStream } from '../domain/user.ts';
import { actorOf, type Requester } from '../edge/requester.ts';
import type { CommandContext } from './context.ts';
import type { CommandParts } from './parts.ts';
import { currentSettings } from './setting.ts';

/** What judging a password needs. */
export type PasswordParts = Pick<CommandParts, 'names' | 'passwords' | 'store' | 'security' | 'access'>;

/** What a wrong password is answered with; for an unknown name the same. */
const wrongNameOrPassword = '用户名或密码错误';

/**
 * The account that a password belongs to. Wrong passwords are limited by the setting `limit_password`.
 * @param claimed the username or phone that was given, or the account that the requester is known to act for
 * @param msg what a wrong password is refused with
 * @throws Refusal illegal for a wrong one, and after too many of them; tooMany, notReady if too many are hashed
 */
export async function ownerOfPassword(
  { names, passwords, store, security, access }: PasswordParts,
  requester: Requester,
  context: CommandContext,
  claimed: string | Account,
  password: string,
  msg = wrongNameOrPassword,
): Promise<Account> {
  const { limit_password: limit } = await currentSettings(store);
  const [name, accounts] =
    typeof claimed === 'string' ? [claimed, await names.byLoginName(claimed)] : [claimed.username, [claimed]];
  const uid = accounts[0]?.uid;
  const actor = actorOf(requester, uid);
  const recordFailure = () => access.record({ type: 'LoginFailed', data: { uid: uid ?? null } }, context);
  const { address, share } = requester;
  const owner = await passwords
    .check({ name, accounts, password, limit, address, share })
    .catch((error: unknown) => {
      if (error instanceof Refusal && error.reason === 'illegal') {
        security.attempt('too many passwords were wrong', actor);
        recordFailure();
      }
      throw error;
    });
  // Until its names are free, an account that was deleted a moment ago has its password.
  if (owner && (await store.load(userStream(owner.uid))).state?.deletion === null) return owner;
  security.attempt('a password was wrong', actor);
  recordFailure();
  throw new Refusal('illegal', msg);
}
