import { afterAll, expect, test } from 'vitest';
import { startHousekeeping } from '../../services/accounts/housekeeping.ts';
import { openAccounts, silent } from '../support/accounts.ts';

const accounts = await openAccounts();
afterAll(() => accounts.close());

/** A row that has just expired, and one that has not. */
const rows = `
  insert into accounts.tokens (hash, uid, used) values
    ('\\x01', 1, now() - interval '30 days 1 minute'), ('\\x02', 1, now() - interval '29 days');
  insert into accounts.captchas (id, hash, created) values
    ('old', '', now() - interval '6 minutes'), ('new', '', now() - interval '4 minutes');
  insert into accounts.sms_codes (phone, purpose, hash, address, sent) values
    ('old', 'register', '', '', now() - interval '25 hours'), ('new', 'register', '', '', now() - interval '23 hours');
  insert into accounts.sms_inbox (phone, type, code, sent) values
    ('old', 'register', '', now() - interval '25 hours'), ('new', 'register', '', now() - interval '23 hours');
  insert into accounts.failed_passwords values
    ('old', array[now() - interval '61 seconds']),
    ('new', array[now() - interval '61 seconds', now() - interval '10 seconds']);`;

test('what has run out goes, all else stays', async () => {
  await accounts.pool.query(rows);
  const housekeeping = startHousekeeping({
    database: accounts.database,
    tokenDays: () => 30,
    logger: silent,
  });
  await housekeeping.sweep();
  await housekeeping.close();
  const { rows: left } = await accounts.pool.query(`
    select encode(hash, 'hex') as left from accounts.tokens
    union all select id from accounts.captchas
    union all select phone from accounts.sms_codes
    union all select phone from accounts.sms_inbox
    union all select username_key from accounts.failed_passwords`);
  expect(left.map((row) => row.left)).toEqual(['02', 'new', 'new', 'new', 'new']);
});

test('a setting of more days than Postgres can count is no error', async () => {
  const housekeeping = startHousekeeping({
    database: accounts.database,
    tokenDays: () => 1_000_000_000,
    logger: silent,
  });
  await housekeeping.sweep();
  await housekeeping.close();
});
