import { expect, onTestFinished, test } from 'vitest';
import { eventsOfStoreTypes } from '../../../services/audit/tree/events-of-store-types.ts';
import { openClient } from '../../../services/postgres/connect.ts';
import { createDatabase } from '../../support/database.ts';

test('events of the store are found without a look at all others', async () => {
  const database = await createDatabase();
  onTestFinished(() => database.drop());
  const client = await openClient(database.url, { name: 'test', statementTimeoutMs: 30_000 });
  onTestFinished(() => client.end());
  await client.query(
    `insert into audit.events (number, recorded, revision, id, position, stream, type)
     select n, n, n, gen_random_uuid(), to_char(n, 'fm0000000000000000'), 'user-1',
            case n when 70000 then '$>' else (array['ReadTo', 'MessageSent', 'ProfileChanged'])[n % 3 + 1] end
       from generate_series(0, 99999) n`,
  );
  await client.query('vacuum analyze audit.events');
  await client.query('begin');
  expect(await eventsOfStoreTypes(client)).toMatchObject([
    { stream: 'user-1', revision: '70000', type: '$>' },
  ]);
  const { rows } = await client.query<{ read: string }>(
    `select seq_tup_read + coalesce(idx_tup_fetch, 0) as read from pg_stat_xact_user_tables
      where schemaname = 'audit' and relname = 'events'`,
  );
  await client.query('rollback');
  expect(Number(rows[0]?.read)).toBeLessThan(100);
});
