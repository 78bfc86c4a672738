import { Refusal } from '../../contracts/codes.ts';
import type { Uid } from '../../contracts/ids.ts';
import type { CommandParts } from './parts.ts';
import { currentSettings } from './setting.ts';

type Parts = Pick<CommandParts, 'store' | 'names' | 'smsCodes'>;

/**
 * Sends a code to a person who is not logged in. It is delivered only if a phone that registers is free, or one
 * that forgot its password is known; the answer is the same.
 * @param address of the requester
 * @throws Refusal illegal beyond the limits
 */
export async function sendPublicCode(
  { store, names, smsCodes }: Parts,
  { phone, purpose, address }: { phone: string; purpose: 'register' | 'forget'; address: string },
): Promise<void> {
  const known = (await names.byPhone(phone)) !== undefined;
  const deliver = known === (purpose === 'forget');
  await smsCodes.send({ phone, purpose, address, deliver, limits: await currentSettings(store) });
}

/**
 * Sends a code to a person who is logged in: to the phone of their account, or to one that they want to bind,
 * which is delivered only if it is free.
 * @param address of the requester
 * @throws Refusal illegal for a phone that does not fit the purpose, and beyond the limits; smsNotSent
 */
export async function sendOwnCode(
  { store, names, smsCodes }: Parts,
  uid: Uid,
  { phone, purpose, address }: { phone: string; purpose: 'retrieve' | 'bind'; address: string },
): Promise<void> {
  const own = (await names.byUid(uid))?.phone === phone;
  if (purpose === 'retrieve' && !own) throw new Refusal('illegal', '该手机号不是本账号绑定的手机号');
  if (purpose === 'bind' && own) throw new Refusal('illegal', '该手机号已绑定本账号');
  const deliver = own || (await names.byPhone(phone)) === undefined;
  await smsCodes.send({ phone, purpose, address, deliver, limits: await currentSettings(store) });
}
