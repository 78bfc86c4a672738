import { describe, expect, test } from 'vitest';
import { createKnownAddresses } from '../../services/accounts/known-addresses.ts';
import { accounts, register } from './passwords-harness.ts';

describe('known addresses', () => {
  const addresses = createKnownAddresses(accounts.database);

  test('are the last twenty, by networks, for 90 days', async () => {
    const kim = await register('secret');
    expect(await addresses.knows(kim.uid, '10.0.0.0')).toBe(false);
    for (let host = 0; host < 21; host++) {
      await addresses.remember(kim.uid, `10.0.0.${host}`);
      await accounts.pool.query("update accounts.known_addresses set seen = seen - interval '1 hour'");
    }
    const known = async () => {
      const all = Array.from({ length: 21 }, (_, host) => addresses.knows(kim.uid, `10.0.0.${host}`));
      return (await Promise.all(all)).filter(Boolean).length;
    };
    expect(await known()).toBe(20);
    expect(await addresses.knows(kim.uid, '10.0.0.0')).toBe(false);
    expect(await addresses.knows(kim.uid, '::ffff:10.0.0.20')).toBe(true);
    await accounts.pool.query(
      "update accounts.known_addresses set seen = now() - interval '89 days 23 hours'",
    );
    expect(await known()).toBe(20);
    await accounts.pool.query("update accounts.known_addresses set seen = now() - interval '90 days'");
    expect(await known()).toBe(0);
    await addresses.remember(kim.uid, '10.0.0.20');
    expect(await known()).toBe(1);
  });
});
