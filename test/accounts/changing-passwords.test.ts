import { describe, expect, test } from 'vitest';
import { createKnownAddresses } from '../../services/accounts/known-addresses.ts';
import { accounts, attempt, here, passwords, present, register, share, tokens } from './passwords-harness.ts';

describe('changing the password', () => {
  test('makes the old one wrong and ends all tokens', async () => {
    const frank = await register('old one');
    const ended = [await tokens.issue(frank), await tokens.issue(frank)];
    await passwords.change(frank.uid, 'new one', share);
    const changed = await present(frank.uid);
    expect(await attempt(changed, 'old one')).toBeUndefined();
    expect(await attempt(changed, 'new one')).toEqual(changed);
    for (const { token } of ended) expect(await tokens.verify(token, 30)).toBeUndefined();
  });

  test('forgets the known addresses, except the one of the person who changes it', async () => {
    const addresses = createKnownAddresses(accounts.database);
    const [iris, other] = [await register('old one'), await register('old one')];
    const thief = '192.0.2.66';
    for (const account of [iris, other]) {
      expect(await attempt(account, 'old one', passwords, thief)).toEqual(account);
    }
    await passwords.change(iris.uid, 'new one', share, { address: here });
    expect(await addresses.knows(iris.uid, thief)).toBe(false);
    expect(await addresses.knows(iris.uid, here)).toBe(true);
    expect(await addresses.knows(other.uid, thief)).toBe(true);
    await passwords.change(iris.uid, 'newer one', share);
    expect(await addresses.knows(iris.uid, here)).toBe(false);
  });

  test('is refused to a caller whose old password was replaced meanwhile', async () => {
    const kate = await register('old one');
    const { passwordHash: instead } = kate;
    await passwords.change(kate.uid, 'new one', share, { instead });
    await expect(passwords.change(kate.uid, 'of a thief', share, { instead })).rejects.toEqual(
      expect.objectContaining({ reason: 'illegal', message: '旧密码错误' }),
    );
    expect(await attempt(await present(kate.uid), 'new one')).toBeDefined();
  });

  test('gives no token to a caller who gave the old one just before', async () => {
    const greta = await register('old one');
    const before = await attempt(greta, 'old one');
    await passwords.change(greta.uid, 'new one', share);
    expect(before).toEqual(greta);
    await expect(tokens.issue(greta)).rejects.toEqual(
      expect.objectContaining({ reason: 'illegal', message: '用户名或密码错误' }),
    );
  });

  // A token inserted after the change has read the tokens to end, by a login that still read the old hash,
  // would outlive it. The change is stopped just there: a row that it is to delete is held by another.
  test('leaves no token to a login that comes while it is under way', async () => {
    const hans = await register('old one');
    const { tokenHash } = await tokens.issue(hans);
    const holder = await accounts.pool.connect();
    await holder.query('begin');
    await holder.query('select from accounts.tokens where hash = $1 for update', [
      Buffer.from(tokenHash, 'hex'),
    ]);
    const waiting = async () => {
      const { rows } = await accounts.pool.query(
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      );
      return rows[0].count;
    };
    const changed = passwords.change(hans.uid, 'new one', share);
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
