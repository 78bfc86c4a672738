import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, test } from 'vitest';
import type { Uid } from '../../contracts/ids.ts';
import { type Account, createNames } from '../../services/accounts/names.ts';
import { createPasswords } from '../../services/accounts/passwords.ts';
import { createTokens } from '../../services/accounts/tokens.ts';
import { memoryBus } from '../../services/bus/memory.ts';
import { openAccounts, silent } from '../support/accounts.ts';

const accounts = await openAccounts();
const bus = memoryBus(silent);
const names = createNames({ database: accounts.database, exists: async () => false });
const tokens = createTokens({ database: accounts.database, bus, logger: silent });
const passwords = createPasswords({ database: accounts.database, tokens });
const otherProcess = createPasswords({ database: accounts.another(), tokens });
afterAll(async () => {
  await tokens.close();
  await bus.close();
  await accounts.close();
});

let people = 0;
async function register(password: string, phone: string | null = null): Promise<Account> {
  const username = `Person${people++}`;
  const passwordHash = await passwords.hash(password);
  const { uid } = await names.reserve({ username, phone, passwordHash });
  await names.confirm(uid);
  return present(uid);
}

async function present(uid: Uid): Promise<Account> {
  const account = await names.byUid(uid);
  if (!account) throw new Error('nobody has that uid');
  return account;
}

const attempt = (account: Account, password: string, process = passwords) =>
  process.check({ name: account.username, accounts: [account], password, limit: 10 });

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
    const one = await passwords.hash('secret 密码');
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(await passwords.hash('secret 密码')).not.toBe(one);
  });

  test('that is right tells whose it is; that is wrong, nobody', async () => {
    const amy = await register('secret 密码');
    expect(await attempt(amy, 'secret 密码')).toEqual(amy);
    expect(await attempt(amy, 'secret 密吗')).toBeUndefined();
  });

  test('tells which of two was meant whom one name may mean, and counts as wrong for neither', async () => {
    const [one, other] = [await register('first one'), await register('second one')];
    for (let round = 0; round < 12; round++) {
      const found = await passwords.check({
        name: 'either',
        accounts: [one, other],
        password: 'second one',
        limit: 10,
      });
      expect(found).toEqual(other);
    }
  });

  test('of nobody takes as long to look at as that of somebody', async () => {
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
      passwords.check({ name: 'nobody at all', accounts: [], password: 'wrong', limit: 10 }),
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

  test('are looked at ten times where thirty come at once to two processes', async () => {
    const doris = await register('secret');
    const outcomes = await Promise.allSettled(
      Array.from({ length: 30 }, (_, index) => attempt(doris, 'wrong', index % 2 ? passwords : otherProcess)),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
  });

  test('are counted for a name that nobody has', async () => {
    const guess = (name: string) => passwords.check({ name, accounts: [], password: 'wrong', limit: 3 });
    for (const name of ['ghost', 'Ghost', 'GHOST']) expect(await guess(name)).toBeUndefined();
    await expect(guess('ghost')).rejects.toEqual(refused);
    expect(await guess('another')).toBeUndefined();
    expect(await guess(randomBytes(100_000).toString('hex'))).toBeUndefined();
  });

  test('are not what many right ones at once are taken for', async () => {
    const eve = await register('secret');
    const found = await Promise.all(Array.from({ length: 25 }, () => attempt(eve, 'secret')));
    expect(found).toEqual(Array.from({ length: 25 }, () => eve));
  });
});

describe('changing the password', () => {
  test('makes the old one wrong and ends all tokens but the one named', async () => {
    const frank = await register('old one');
    const [kept, ended] = [await tokens.issue(frank), await tokens.issue(frank)];
    await passwords.change(frank.uid, 'new one', kept.hash);
    const changed = await present(frank.uid);
    expect(await attempt(changed, 'old one')).toBeUndefined();
    expect(await attempt(changed, 'new one')).toEqual(changed);
    expect(await tokens.verify(kept.token, 30)).toEqual({ uid: frank.uid, hash: kept.hash });
    expect(await tokens.verify(ended.token, 30)).toBeUndefined();
  });

  test('gives no token to one who showed the old one just before', async () => {
    const greta = await register('old one');
    const shown = await attempt(greta, 'old one');
    await passwords.change(greta.uid, 'new one');
    expect(shown).toEqual(greta);
    await expect(tokens.issue(greta)).rejects.toEqual(
      expect.objectContaining({ reason: 'illegal', message: '用户名或密码错误' }),
    );
  });

  // A token inserted after the change has looked for tokens to end, by one who still saw the old hash,
  // would outlive it. The change is stopped just there: a row that it is to delete is held by another.
  test('leaves no token to one who comes while it is under way', async () => {
    const hans = await register('old one');
    const { hash } = await tokens.issue(hans);
    const holder = await accounts.pool.connect();
    await holder.query('begin');
    await holder.query('select from accounts.tokens where hash = $1 for update', [Buffer.from(hash, 'hex')]);
    const waiting = async () => {
      const { rows } = await accounts.pool.query(
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      );
      return rows[0].count;
    };
    const changed = passwords.change(hans.uid, 'new one');
    await expect.poll(waiting).toBe(1);
    let outcome = 'none yet';
    const issued = tokens.issue(hans).then(
      () => {
        outcome = 'issued';
      },
      () => {
        outcome = 'refused';
      },
    );
    await expect.poll(async () => outcome !== 'none yet' || (await waiting()) === 2).toBe(true);
    await holder.query('commit');
    holder.release();
    await Promise.all([changed, issued]);
    expect(outcome).toBe('refused');
    const { rowCount } = await accounts.pool.query('select from accounts.tokens where uid = $1', [hans.uid]);
    expect(rowCount).toBe(0);
  });
});
