import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { accounts, attempt, here, otherProcess, passwords, register, share } from './passwords-harness.ts';

async function letMinutePass(): Promise<void> {
  await accounts.pool.query(
    "update accounts.failed_passwords set tries = array(select at - interval '1 minute' from unnest(tries) at)",
  );
}

const refused = expect.objectContaining({
  reason: 'illegal',
  message: '密码错误次数过多,请一分钟后再试',
});

describe('a password', () => {
  test('is hashed with argon2id, another way each time', async () => {
    const one = await passwords.hash('secret 密码', share);
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(await passwords.hash('secret 密码', share)).not.toBe(one);
  });

  test('that is right identifies its owner; a wrong one identifies nobody', async () => {
    const amy = await register('secret 密码');
    expect(await attempt(amy, 'secret 密码')).toEqual(amy);
    expect(await attempt(amy, 'secret 密吗')).toBeUndefined();
  });

  test('decides between two people whom one name may mean, and counts as wrong for neither', async () => {
    const [one, other] = [await register('first one'), await register('second one')];
    for (let round = 0; round < 12; round++) {
      const found = await passwords.check({
        name: 'either',
        accounts: [one, other],
        password: 'second one',
        limit: 10,
        address: here,
        share,
      });
      expect(found).toEqual(other);
    }
  });

  test('for an unknown name takes as long to check as for a known one', async () => {
    const bob = await register('secret');
    const quickest = async (work: () => Promise<unknown>) => {
      let least = Number.POSITIVE_INFINITY;
      for (let round = 0; round < 5; round++) {
        const begun = performance.now();
        await work();
        least = Math.min(least, performance.now() - begun);
      }
      return least;
    };
    const known = await quickest(() => attempt(bob, 'wrong'));
    const unknown = await quickest(() =>
      passwords.check({
        name: 'nobody at all',
        accounts: [],
        password: 'wrong',
        limit: 10,
        address: here,
        share,
      }),
    );
    expect(unknown).toBeGreaterThan(known / 2);
  });
});

describe('wrong passwords', () => {
  test('are refused after ten in a minute, and then the right one too, until the minute is over', async () => {
    const carl = await register('secret');
    for (let count = 0; count < 10; count++) expect(await attempt(carl, 'wrong')).toBeUndefined();
    await expect(attempt(carl, 'wrong')).rejects.toEqual(refused);
    await expect(attempt(carl, 'secret', otherProcess)).rejects.toEqual(refused);
    await letMinutePass();
    expect(await attempt(carl, 'secret')).toEqual(carl);
  });

  test('from one address do not keep the owner out at another', async () => {
    const ines = await register('secret');
    for (let count = 0; count < 10; count++) await attempt(ines, 'wrong', passwords, '198.51.100.1');
    await expect(attempt(ines, 'secret', passwords, '198.51.100.1')).rejects.toEqual(refused);
    expect(await attempt(ines, 'secret', otherProcess, '198.51.100.2')).toEqual(ines);
  });

  test('from many addresses are bounded together by ten times the limit of one, except at known addresses', async () => {
    const june = await register('secret', '13700000001');
    expect(await attempt(june, 'secret', passwords, '2001:db8:1::1')).toEqual(june);
    for (let count = 0; count < 100; count++) {
      expect(await attempt(june, 'wrong', passwords, `198.51.100.${Math.floor(count / 9)}`)).toBeUndefined();
    }
    await expect(attempt(june, 'wrong', passwords, '203.0.113.1')).rejects.toEqual(refused);
    await expect(attempt(june, 'secret', passwords, '203.0.113.1')).rejects.toEqual(refused);
    const known = { limit: 10, address: '2001:db8:1:0:ffff::2', share };
    const byPhone = { name: '13700000001', accounts: [june], password: 'secret', ...known };
    expect(await otherProcess.check(byPhone)).toEqual(june);
    // A known address has the limit of one.
    for (let count = 0; count < 10; count++)
      expect(await attempt(june, 'wrong', passwords, known.address)).toBeUndefined();
    await expect(attempt(june, 'secret', passwords, known.address)).rejects.toEqual(refused);
  }, 60_000);

  test('are checked ten times if thirty come at once to two processes', async () => {
    const doris = await register('secret');
    const outcomes = await Promise.allSettled(
      Array.from({ length: 30 }, (_, index) => attempt(doris, 'wrong', index % 2 ? passwords : otherProcess)),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
  });

  test('are counted for a name that nobody has', async () => {
    const guess = (name: string) =>
      passwords.check({ name, accounts: [], password: 'wrong', limit: 3, address: here, share });
    for (const name of ['ghost', 'Ghost', 'GHOST']) expect(await guess(name)).toBeUndefined();
    await expect(guess('ghost')).rejects.toEqual(refused);
    expect(await guess('another')).toBeUndefined();
    expect(await guess(randomBytes(100_000).toString('hex'))).toBeUndefined();
  });

  test('are not counted for many right ones at once', async () => {
    const eve = await register('secret');
    const found = await Promise.all(Array.from({ length: 25 }, () => attempt(eve, 'secret')));
    expect(found).toEqual(Array.from({ length: 25 }, () => eve));
  });
});
