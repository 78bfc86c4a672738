import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { accountsDatabase } from '../../services/accounts/accounts-tables.ts';
import { createIds } from '../../services/accounts/ids.ts';
import type { TokenHash } from '../../services/accounts/token-hash.ts';
import { createTokenReader } from '../../services/accounts/token-reader.ts';
import { hedged } from '../../services/postgres/hedged.ts';
import { createPool } from '../../services/postgres/pool.ts';
import { PushStore } from '../../services/pushes/push-store.ts';
import { silent } from '../support/accounts.ts';
import { createDatabase } from '../support/database.ts';
import { type NetworkProxy, startDatabaseProxy } from '../support/proxy.ts';

/** Less than the deadline of a query, in milliseconds. */
const soon = 4_000;

let proxy: NetworkProxy;
let pool: ReturnType<typeof createPool>;

beforeEach(async () => {
  const database = await createDatabase();
  onTestFinished(() => database.drop());
  const before = await startDatabaseProxy(database.url);
  proxy = before;
  pool = createPool(before.url, silent);
  onTestFinished(() => pool.end());
  // The one connection that the next query is given.
  await pool.query('select');
});

describe('while one connection of the pool is frozen', () => {
  test.each<[string, () => () => Promise<unknown>]>([
    [
      'mids are assigned',
      () => {
        const ids = createIds(accountsDatabase(pool), async () => ({
          ...{ uid: 0, applicationId: 0, replyId: 0, mid: 0 },
        }));
        return () => ids.nextMid();
      },
    ],
    [
      'tokens are read',
      () => {
        const reader = createTokenReader(accountsDatabase(pool));
        return () => reader.read('00ff' as TokenHash);
      },
    ],
    [
      'gateways read pushes',
      () => {
        const pushStore = new PushStore(pool);
        return () => pushStore.checkpoint();
      },
    ],
    [
      'gateways read who is a member',
      () => {
        const pushStore = new PushStore(pool);
        return () => pushStore.memberships([], []);
      },
    ],
  ])('%s before its deadline', async (_, prepare) => {
    const ask = prepare();
    proxy.freeze();
    const asked = performance.now();
    await ask();
    expect(performance.now() - asked).toBeLessThan(soon);
  });
});

describe('a hedged request', () => {
  test('is sent once if it is answered in time', async () => {
    let times = 0;
    expect(await hedged(async () => ++times)).toBe(1);
    expect(times).toBe(1);
  });

  test('fails at once if the first one fails in time, and with the last error if both fail', async () => {
    await expect(hedged(() => Promise.reject(new Error('first')))).rejects.toThrow('first');
    let times = 0;
    const slowly = () => {
      const name = `answer ${++times}`;
      return new Promise((_, reject) => setTimeout(() => reject(new Error(name)), 2_000));
    };
    await expect(hedged(slowly)).rejects.toThrow('answer 2');
  });
});
