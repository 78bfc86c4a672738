import { afterAll, expect } from 'vitest';
import { type CodeRequest, createSmsCodes } from '../../services/sms/codes.ts';
import { createSmsInbox } from '../../services/sms/development-inbox.ts';
import type { SmsPurpose } from '../../services/sms/provider.ts';
import { openAccounts, silent } from '../support/accounts.ts';

export const accounts = await openAccounts();
export const inbox = createSmsInbox(accounts.database);
export const secret = 'secret of the test';
export const codes = createSmsCodes({ database: accounts.database, provider: inbox, secret, logger: silent });

export const otherProcess = createSmsCodes({
  database: accounts.another(),
  provider: inbox,
  secret,
  logger: silent,
});

afterAll(async () => {
  await codes.close();
  await otherProcess.close();
  await accounts.close();
});

let phones = 0;
export const newPhone = () => String(13_900_000_000 + phones++);
let addresses = 0;
export const newAddress = () => `192.0.2.${addresses++}`;
export const limits = { limit_sms_seconds: 60, limit_sms_phone: 10, limit_sms_address: 60 };

/** Sends a code, from an address of its own by default. */
export async function send(
  phone: string,
  purpose: SmsPurpose = 'register',
  { address = newAddress(), deliver = true, ...changed }: Partial<CodeRequest> = {},
): Promise<void> {
  await codes.send({ phone, purpose, address, deliver, limits: { ...limits, ...changed.limits } });
}

/** The last code in the inbox of a phone. */
export async function sentCode(phone: string): Promise<string> {
  const [newest] = await inbox.sentTo(phone);
  return newest?.code ?? 'none was sent';
}

/** Moves the codes of a phone into the past. */
export async function letPass(phone: string, interval: string): Promise<void> {
  await accounts.pool.query('update accounts.sms_codes set sent = sent - $2::interval where phone = $1', [
    phone,
    interval,
  ]);
}

/** An address that gives codes which another address requested. */
export const there = '203.0.113.1';

export const refused = expect.objectContaining({
  reason: 'illegal',
  message: expect.stringContaining('验证码'),
});
