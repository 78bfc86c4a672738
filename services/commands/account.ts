import { Refusal } from '../../contracts/codes.ts';
import type { Uid } from '../../contracts/ids.ts';
import type { Account } from '../accounts/account-rows.ts';
import type { Names } from '../accounts/names.ts';
import { type AccountChanges, changeAccount, mustExist, userStream } from '../domain/user.ts';
import { actorOf, type Requester } from '../edge/requester.ts';
import type { Position } from '../log/log.ts';
import type { CommandContext } from './context.ts';
import { execute } from './execute.ts';
import type { CommandParts } from './parts.ts';
import { ownerOfPassword, type PasswordParts } from './password.ts';
import { type NewAccount, type RegisteringParts, registerUser } from './register.ts';
import { useAllowance } from './use-allowance.ts';

type Parts = PasswordParts & Pick<CommandParts, 'log'>;

/** What the server's key registers a person with. */
export type NewUser = Omit<NewAccount, 'passwordHash' | 'phone' | 'parent'> & { readonly password: string };

/** Registers a person for another backend. @throws Refusal illegal if the username is taken; notReady */
export async function addUser(
  parts: RegisteringParts & Pick<CommandParts, 'passwords'>,
  { password, ...profile }: NewUser,
  requester: Requester,
  context: CommandContext,
): Promise<{ uid: Uid; position: Position }> {
  const passwordHash = await parts.passwords.hash(password, requester.share);
  return registerUser(parts, { ...profile, phone: null, parent: null, passwordHash }, context);
}

/** What is to be changed of an account; undefined: nothing. */
export type AccountUpdate = AccountChanges & { readonly password?: string | undefined };

/** What only the server's key may change in user/update, with the answer to a person who tries to. */
const onlyByServer = {
  disabled: '没有权限修改参数account_state',
  isMember: '没有权限修改参数is_member',
  password: '参数password不能在此修改,请调用user/updatepassword',
  phone: '参数phone不能在此修改,请调用user/bindphone',
} as const satisfies Partial<Record<keyof AccountUpdate, string>>;

/**
 * Changes an account: its profile, and for the server's key its password, phone, membership and whether it is
 * disabled. A nickname or avatar that is another one than before uses an allowance.
 * @throws Refusal illegal, noUser, tooOften
 */
export async function updateAccount(
  parts: Parts & Pick<CommandParts, 'tokens'>,
  uid: Uid,
  { password, ...changes }: AccountUpdate,
  requester: Requester,
  context: CommandContext,
): Promise<Position> {
  const { store, names, passwords, tokens, security, access } = parts;
  if (context.actor !== 'server') mustBeOwnChanges({ password, ...changes });
  const { nickname, avatar, phone, disabled } = changes;
  const { state } = await store.load(userStream(uid));
  const { disabled: before } = mustExist(state);
  if (changeAccount(state, { nickname, avatar }).length > 0) {
    await useAllowance(parts, uid, 'profiles changed', context);
  }
  // What can be refused comes first. A repeat of the call does what is left.
  if (phone !== undefined) await names.bindPhone(uid, phone);
  // Before the event, which may have to wait for its turn.
  if (disabled) {
    await tokens.endAll(uid);
    const data = { uid, session: null, why: 'account disabled' } as const;
    access.record({ type: 'SessionEnded', data }, context);
  }
  const { position } = await execute(parts, userStream(uid), context, (present) =>
    changeAccount(present, changes),
  );
  if (password !== undefined) {
    await passwords.change(uid, password, requester.share);
    access.record({ type: 'PasswordChanged', data: { uid, by: 'server' } }, context);
  }
  const log = (what: Parameters<typeof security.change>[0]) =>
    security.change(what, actorOf(requester, uid), "the server's key");
  if (phone !== undefined) log('a phone was bound');
  if (password !== undefined) log('a password was changed');
  if (disabled === !before) log(disabled ? 'an account was disabled' : 'an account was enabled');
  return position;
}

function mustBeOwnChanges(update: AccountUpdate): void {
  for (const name of ['disabled', 'isMember', 'password', 'phone'] as const) {
    if (update[name] !== undefined) throw new Refusal('illegal', onlyByServer[name]);
  }
}

/**
 * Changes one's own password, after showing the old one or an SMS code to one's phone.
 * @throws Refusal noUser, illegal; missing if neither was given
 */
export async function changePassword(
  parts: PasswordParts & Pick<CommandParts, 'smsCodes'>,
  uid: Uid,
  { old, code, password }: { old: string | undefined; code: string | undefined; password: string },
  requester: Requester,
  context: CommandContext,
): Promise<void> {
  const { names, passwords, smsCodes, security, access } = parts;
  const { address, share } = requester;
  const account = await mustHaveAccount(names, uid);
  if (old !== undefined) await ownerOfPassword(parts, requester, context, account, old, '旧密码错误');
  else if (code !== undefined) {
    if (account.phone === null) throw new Refusal('illegal', '该账号没有绑定手机号');
    await smsCodes.spend(await smsCodes.check(account.phone, 'retrieve', code, address));
  } else throw Refusal.missing('password_old');
  const shown = { address, ...(old !== undefined && { instead: account.passwordHash }) };
  await passwords.change(uid, password, share, shown);
  const by = old === undefined ? 'an SMS code' : 'the old password';
  security.change('a password was changed', actorOf(requester, uid), by);
  const shownBy = old === undefined ? 'code' : 'password';
  access.record({ type: 'PasswordChanged', data: { uid, by: shownBy } }, context);
}

/**
 * Binds a phone to one's own account, after an SMS code to it. Replacing a phone needs the password too: with
 * the phone an account gets a new password, so a stolen token must not be enough.
 * @throws Refusal noUser, illegal; missing if the password is needed and was not given
 */
export async function bindPhone(
  parts: Parts & Pick<CommandParts, 'smsCodes'>,
  uid: Uid,
  { phone, code, password }: { phone: string; code: string; password: string | undefined },
  requester: Requester,
  context: CommandContext,
): Promise<Position> {
  const { names, smsCodes, security } = parts;
  const account = await mustHaveAccount(names, uid);
  if (account.phone !== null && account.phone !== phone) {
    if (password === undefined) throw Refusal.missing('password', ',更换手机号需要当前密码');
    await ownerOfPassword(parts, requester, context, account, password, '密码错误');
  }
  const checked = await smsCodes.check(phone, 'bind', code, requester.address);
  const owner = await names.byPhone(phone);
  if (owner && owner.uid !== uid) throw new Refusal('illegal', '手机号已被注册');
  await smsCodes.spend(checked);
  await names.bindPhone(uid, phone, account.phone);
  const { position } = await execute(parts, userStream(uid), context, (state) =>
    changeAccount(state, { phone }),
  );
  security.change('a phone was bound', actorOf(requester, uid), 'an SMS code');
  return position;
}

async function mustHaveAccount(names: Names, uid: Uid): Promise<Account> {
  const account = await names.byUid(uid);
  if (!account) throw new Refusal('noUser');
  return account;
}
