import { describe, expect, test } from 'vitest';
import { accounts, register, setIdle, startProcess } from './tokens-harness.ts';

describe('a token', () => {
  test('is 256 random bits, good in every process, and kept as a hash alone', async () => {
    const amy = await register();
    const { token, tokenHash } = await startProcess().tokens.issue(amy);
    expect(Buffer.from(token, 'base64url')).toHaveLength(32);
    expect(await startProcess().tokens.verify(token, 30)).toEqual({ uid: amy.uid, tokenHash });
    const { rows } = await accounts.pool.query('select * from accounts.tokens where uid = $1', [amy.uid]);
    expect(rows[0].hash.toString('hex')).toBe(tokenHash);
    expect(JSON.stringify(rows)).not.toContain(token);
  });

  test('that was never issued is not valid', async () => {
    const { tokens } = startProcess();
    for (const token of ['', 'x', 'a'.repeat(43), 'a'.repeat(10_000), '\0', '令牌']) {
      expect(await tokens.verify(token, 30)).toBeUndefined();
    }
  });

  test('lives for the number of days since its last use that the setting says now', async () => {
    const bob = await register();
    const { token } = await startProcess().tokens.issue(bob);
    await setIdle(bob.uid, '10 days 1 minute');
    const { tokens } = startProcess();
    expect(await tokens.verify(token, 10)).toBeUndefined();
    expect(await tokens.verify(token, 11)).toMatchObject({ uid: bob.uid });
  });

  test('lives on by its use, which is noted once an hour at most', async () => {
    const carl = await register();
    const { token } = await startProcess().tokens.issue(carl);
    const idleMinutes = async () => {
      const { rows } = await accounts.pool.query(
        'select extract(epoch from now() - used)::float8 / 60 as idle from accounts.tokens where uid = $1',
        [carl.uid],
      );
      return rows[0].idle;
    };
    const useOnce = async () => {
      const { tokens } = startProcess();
      await tokens.verify(token, 30);
      await tokens.close();
    };
    await setIdle(carl.uid, '59 minutes');
    await useOnce();
    expect(await idleMinutes()).toBeGreaterThan(58);
    await setIdle(carl.uid, '61 minutes');
    await useOnce();
    expect(await idleMinutes()).toBeLessThan(1);
  });
});

/** Counts the queries to the database while the work is done. */
async function queriesOf(work: () => Promise<unknown>): Promise<number> {
  let count = 0;
  const onAcquire = () => count++;
  accounts.pool.on('acquire', onAcquire);
  await work();
  accounts.pool.off('acquire', onAcquire);
  return count;
}

describe('verifying', () => {
  test('queries the database once for ten thousand checks of one token', async () => {
    const kim = await register();
    const { tokens } = startProcess();
    const { token } = await tokens.issue(kim);
    const queries = await queriesOf(async () => {
      await Promise.all(Array.from({ length: 5000 }, () => tokens.verify(token, 30)));
      for (let count = 0; count < 5000; count++) await tokens.verify(token, 30);
    });
    expect(queries).toBeLessThan(3);
  });

  test('queries a few times for five hundred tokens at once', async () => {
    const lara = await register();
    const { tokens } = startProcess();
    const issued = await Promise.all(Array.from({ length: 500 }, () => tokens.issue(lara)));
    const queries = await queriesOf(async () => {
      const owners = await Promise.all(issued.map(({ token }) => tokens.verify(token, 30)));
      expect(new Set(owners.map((owner) => owner?.tokenHash)).size).toBe(500);
    });
    expect(queries).toBeLessThan(10);
  });

  test('queries again in the background while the cached answer still serves', async () => {
    const maria = await register();
    const { tokens, clock } = startProcess();
    const { token } = await tokens.issue(maria);
    await tokens.verify(token, 30);
    await accounts.pool.query('delete from accounts.tokens where uid = $1', [maria.uid]);
    clock.time = 3999;
    expect(await queriesOf(() => tokens.verify(token, 30))).toBe(0);
    clock.time = 4000;
    expect(await tokens.verify(token, 30)).toMatchObject({ uid: maria.uid });
    await expect.poll(() => tokens.verify(token, 30)).toBeUndefined();
  });
});
