import { Refusal } from '../../contracts/codes.ts';
import type { Uid } from '../../contracts/ids.ts';
import type { Captchas } from '../accounts/captcha.ts';
import { sessionOf, type TokenHash } from '../accounts/token-hash.ts';
import { actorOf, type Requester } from '../edge/requester.ts';
import type { Position } from '../log/log.ts';
import type { CommandContext } from './context.ts';
import type { CommandParts } from './parts.ts';
import { ownerOfPassword, type PasswordParts } from './password.ts';
import { registerUser } from './register.ts';
import { currentSettings } from './setting.ts';

/** The answer to a captcha; needed if a setting says so. */
export interface CaptchaAnswer {
  readonly id: string | undefined;
  readonly answer: string | undefined;
}

/** What a person registers with. */
export interface Joining {
  readonly username: string;
  readonly nickname: string;
  readonly avatar: string;
  readonly sign: string;
  readonly password: string;
  readonly phone: string | undefined;
  /** The SMS code to the phone. */
  readonly code: string | undefined;
  readonly captcha: CaptchaAnswer;
}

/**
 * Registers a person by themselves, as the settings allow.
 * @throws Refusal registerOff, illegal, notReady; missing for what a setting demands and was not given
 */
export async function join(
  parts: Pick<
    CommandParts,
    'log' | 'store' | 'names' | 'ids' | 'completeAccounts' | 'passwords' | 'smsCodes'
  > & {
    readonly captchas: Captchas;
  },
  { password, phone, code, captcha, ...profile }: Joining,
  requester: Requester,
  context: CommandContext,
): Promise<Position> {
  const { captchas, passwords, smsCodes, store } = parts;
  const { register, register_sms, register_captcha } = await currentSettings(store);
  if (register === 'off') throw new Refusal('registerOff');
  if (register_captcha === 'on') await mustSolve(captchas, captcha);
  if (phone === undefined && register_sms === 'on') throw Refusal.missing('phone');
  if (phone !== undefined && code === undefined) throw Refusal.missing('code');
  // A phone must be shown to be one's own, also if it need not be given.
  const checked =
    phone === undefined || code === undefined
      ? undefined
      : await smsCodes.check(phone, 'register', code, requester.address);
  const passwordHash = await passwords.hash(password, requester.share);
  const account = { ...profile, phone: phone ?? null, passwordHash, parent: null };
  const spend = async () => checked && smsCodes.spend(checked);
  const { position } = await registerUser(parts, account, context, spend);
  return position;
}

/**
 * Gives a token to a person who shows their password.
 * @param name their username or phone
 * @param device what their client says that it is
 * @throws Refusal illegal, tooMany, notReady; missing for a captcha that was not answered
 */
export async function logIn(
  parts: PasswordParts & Pick<CommandParts, 'tokens'> & { readonly captchas: Captchas },
  {
    name,
    password,
    captcha,
    device,
  }: { name: string; password: string; captcha: CaptchaAnswer; device?: string | undefined },
  requester: Requester,
  context: CommandContext,
): Promise<{ readonly uid: Uid; readonly token: string }> {
  const { login_captcha } = await currentSettings(parts.store);
  if (login_captcha === 'on') await mustSolve(parts.captchas, captcha);
  const account = await ownerOfPassword(parts, requester, context, name, password);
  const { uid } = account;
  const { token, tokenHash, ended } = await parts.tokens.issue(account, {
    address: context.origin?.address,
    device,
  });
  const own: CommandContext = { ...context, actor: `${uid}` };
  parts.access.record({ type: 'LoggedIn', data: { uid, session: sessionOf(tokenHash) } }, own);
  for (const crowdedOut of ended) {
    const data = { uid, session: sessionOf(crowdedOut), why: 'crowded out' } as const;
    parts.access.record({ type: 'SessionEnded', data }, own);
  }
  return { uid, token };
}

/** Ends the session of a token. */
export async function logOut(
  { tokens, access }: Pick<CommandParts, 'tokens' | 'access'>,
  { uid, tokenHash }: { readonly uid: Uid; readonly tokenHash: TokenHash },
  context: CommandContext,
): Promise<void> {
  await tokens.end(tokenHash);
  const data = { uid, session: sessionOf(tokenHash), why: 'logout' } as const;
  access.record({ type: 'SessionEnded', data }, context);
}

/** Sets a new password for a person who forgot theirs, by an SMS code to their phone. @throws Refusal illegal */
export async function resetPassword(
  {
    names,
    passwords,
    smsCodes,
    security,
    access,
  }: Pick<CommandParts, 'names' | 'passwords' | 'smsCodes' | 'security' | 'access'>,
  { phone, code, username, password }: { phone: string; code: string; username: string; password: string },
  requester: Requester,
  context: CommandContext,
): Promise<void> {
  const { address, share } = requester;
  const checked = await smsCodes.check(phone, 'forget', code, address);
  const account = await names.byPhone(phone);
  const named = await names.byUsername(username);
  if (!account || account.uid !== named?.uid) throw new Refusal('illegal', '手机号与账号不匹配');
  await smsCodes.spend(checked);
  await passwords.change(account.uid, password, share, { address });
  security.change('a password was changed', actorOf(requester, account.uid), 'an SMS code');
  access.record({ type: 'PasswordChanged', data: { uid: account.uid, by: 'code' } }, context);
}

async function mustSolve(captchas: Captchas, { id, answer }: CaptchaAnswer): Promise<void> {
  if (id === undefined) throw Refusal.missing('captcha_id');
  if (answer === undefined) throw Refusal.missing('captcha');
  await captchas.check(id, answer);
}
