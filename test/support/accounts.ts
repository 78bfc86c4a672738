import type { Pool } from 'pg';
import { pino } from 'pino';
import { type AccountsDatabase, accountsDatabase } from '../../services/accounts/accounts-tables.ts';
import { createPool } from '../../services/postgres/pool.ts';
import { createDatabase } from './database.ts';

export const silent = pino({ level: 'silent' });

/** The accounts' tables in a database of the test file's own; `another` opens them as a second process would. */
export async function openAccounts(): Promise<{
  readonly database: AccountsDatabase;
  readonly pool: Pool;
  another(): AccountsDatabase;
  close(): Promise<void>;
}> {
  const { url, drop } = await createDatabase();
  const pool = createPool(url, silent);
  const pools = [pool];
  return {
    database: accountsDatabase(pool),
    pool,
    another() {
      const second = createPool(url, silent);
      pools.push(second);
      return accountsDatabase(second);
    },
    async close() {
      await Promise.all(pools.map((opened) => opened.end()));
      await drop();
    },
  };
}
