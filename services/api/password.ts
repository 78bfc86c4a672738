import type { FastifyRequest } from 'fastify';
import { Refusal } from '../../contracts/codes.ts';
import type { Account } from '../accounts/names.ts';
import { settingStream } from '../domain/setting.ts';
import type { Application } from './application.ts';
import { actorOf, shareOf } from './caller.ts';

/**
 * The account whose password this is, within the limit that the settings hold wrong ones to.
 * @param claimed the username or phone that someone gave, or the account that they are known to act for
 * @param wrong what is said of a wrong one; by default what an unknown name is told too
 * @throws Refusal illegal for a wrong one, and after too many of them
 */
export async function ownerOfPassword(
  { names, passwords, store, security }: Pick<Application, 'names' | 'passwords' | 'store' | 'security'>,
  request: FastifyRequest,
  claimed: string | Account,
  password: string,
  wrong = '用户名或密码错误',
): Promise<Account> {
  const { state: settings } = await store.load(settingStream);
  const [name, accounts] =
    typeof claimed === 'string' ? [claimed, await names.byLoginName(claimed)] : [claimed.username, [claimed]];
  const actor = actorOf(request, accounts[0]?.uid);
  const limit = settings.limit_password;
  const check = { name, accounts, password, limit, address: request.ip, share: shareOf(request) };
  const owner = await passwords.check(check).catch((error: unknown) => {
    if (error instanceof Refusal && error.reason === 'illegal') {
      security.attempt('too many passwords were wrong', actor);
    }
    throw error;
  });
  if (owner) return owner;
  security.attempt('a password was wrong', actor);
  throw new Refusal('illegal', wrong);
}
