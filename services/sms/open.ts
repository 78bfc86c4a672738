import type { AccountsDatabase } from '../accounts/accounts-tables.ts';
import type { Environment } from '../environment.ts';
import { connectAliyunSms } from './aliyun.ts';
import { createSmsInbox, type SmsInbox } from './development-inbox.ts';
import type { SmsProvider } from './provider.ts';

/** The provider of SMS. */
export interface Sms {
  readonly provider: SmsProvider;
  /** The development provider's messages; undefined with a real provider. */
  readonly inbox: SmsInbox | undefined;
}

/** Opens the provider that the environment names: Aliyun, else the development inbox. */
export function openSms({ aliyunSms }: Pick<Environment, 'aliyunSms'>, database: AccountsDatabase): Sms {
  if (aliyunSms !== undefined) return { provider: connectAliyunSms(aliyunSms), inbox: undefined };
  const inbox = createSmsInbox(database);
  return { provider: inbox, inbox };
}
