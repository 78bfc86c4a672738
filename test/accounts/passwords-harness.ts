import { afterAll } from 'vitest';
import type { Uid } from '../../contracts/ids.ts';
import type { Account } from '../../services/accounts/account-rows.ts';
import { createNames } from '../../services/accounts/names.ts';
import { createPasswords } from '../../services/accounts/passwords.ts';
import { createTokens } from '../../services/accounts/tokens.ts';
import { memoryBus } from '../../services/bus/memory.ts';
import { openAccounts, silent } from '../support/accounts.ts';

export const accounts = await openAccounts();
export const bus = memoryBus(silent);
export const names = createNames({ database: accounts.database, isRegistered: async () => false });
export const tokens = createTokens({ database: accounts.database, bus, logger: silent });
export const passwords = createPasswords({ database: accounts.database, tokens });
export const otherProcess = createPasswords({ database: accounts.another(), tokens });

afterAll(async () => {
  await tokens.close();
  await bus.close();
  await accounts.close();
});

let people = 0;
/** Registers somebody with names of their own. */
export async function register(password: string, phone: string | null = null): Promise<Account> {
  const username = `Person${people++}`;
  const passwordHash = await passwords.hash(password, share);
  const { uid } = await names.reserve({ username, phone, passwordHash });
  await names.confirm(uid);
  return present(uid);
}

/** The account as it is now. */
export async function present(uid: Uid): Promise<Account> {
  const account = await names.byUid(uid);
  if (!account) throw new Error('nobody has that uid');
  return account;
}

export const share = { of: 'the test', maxWaiting: 1000 };
export const here = '192.0.2.1';

/** Checks a password for the account's username. */
export const attempt = (account: Account, password: string, process = passwords, address = here) =>
  process.check({ name: account.username, accounts: [account], password, limit: 10, address, share });
