import { sql, type Transaction } from 'kysely';
import { Refusal } from '../../contracts/codes.ts';
import type { Settings } from '../../contracts/settings.ts';
import type { AccountsTables } from '../accounts/accounts-tables.ts';
import type { SmsPurpose } from './provider.ts';

/** The settings that bound how many codes are sent. */
export type SmsLimits = Pick<Settings, 'limit_sms_seconds' | 'limit_sms_phone' | 'limit_sms_address'>;

/** A code that is to be sent, as far as limits depend on it. */
export interface Sending {
  readonly phone: string;
  readonly purpose: SmsPurpose;
  /** The client's network. */
  readonly address: string;
  readonly limits: SmsLimits;
}

/** All addresses that the phone's owner never used have together this many times the daily limit of one address. */
const unknownAddressesFactor = 3;

/** Locks, so that requests for one phone or from one address are counted one after the other. */
export async function lockLimits(
  transaction: Transaction<AccountsTables>,
  phone: string,
  address: string,
): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`sms phone ${phone}`}, 0))`.execute(transaction);
  await sql`select pg_advisory_xact_lock(hashtextextended(${`sms address ${address}`}, 0))`.execute(
    transaction,
  );
}

/** @throws Refusal `illegal` beyond a limit, with the time to wait */
export async function mustBeWithinLimits(
  transaction: Transaction<AccountsTables>,
  { phone, purpose, address, limits }: Sending,
): Promise<void> {
  const { limit_sms_seconds, limit_sms_phone, limit_sms_address } = limits;
  const { rows } = await sql<{ soon: boolean; day: boolean; hour: boolean }>`
    select
      exists (
        select from accounts.sms_codes where phone = ${phone} and purpose = ${purpose}
        and sent > clock_timestamp() - make_interval(secs => ${limit_sms_seconds})
      ) as soon,
      (
        select count(*) from accounts.sms_codes where phone = ${phone} and address = ${address}
        and sent > clock_timestamp() - interval '1 day'
      ) >= ${limit_sms_phone} or (
        select count(*) from accounts.sms_codes where phone = ${phone}
        and sent > clock_timestamp() - interval '1 day'
      ) >= ${limit_sms_phone * unknownAddressesFactor} and not exists (
        select from accounts.known_addresses known join accounts.accounts using (uid)
        where accounts.phone = ${phone} and known.address = ${address}
      ) as day,
      (
        select count(*) from accounts.sms_codes where address = ${address}
        and sent > clock_timestamp() - interval '1 hour'
      ) >= ${limit_sms_address} as hour`.execute(transaction);
  const [over] = rows;
  if (over?.soon) throw new Refusal('illegal', `获取验证码过于频繁,请${limit_sms_seconds}秒后再试`);
  if (over?.day) throw new Refusal('illegal', '该手机号一天内获取验证码次数过多,请明天再试');
  if (over?.hour) throw new Refusal('illegal', '当前网络获取验证码次数过多,请一小时后再试');
}
