import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { firstOfChannel } from '../../services/pushes/feed-sources.ts';
import { PushStore } from '../../services/pushes/push-store.ts';
import { openWorld, type World } from '../support/projecting.ts';

let world: World;
let client: Client;

/** Ten pushes to a batch; every second one is of the one channel. */
const pushes = 20_000;
const placeOf = (number: number) => String(number).padStart(16, '0');

beforeAll(async () => {
  world = await openWorld();
  client = new Client({ connectionString: world.url });
  await client.connect();
  await world.query(
    `insert into pushes.push (place, number, channel, event, data, batch)
     select lpad((n / 2)::text, 16, '0'), n % 2, case when n % 2 = 0 then 'group-1' else 'user-' || n end, 'e', '{}', n / 10
       from generate_series(2, $1::int + 1) n`,
    [pushes],
  );
  await world.query('analyze pushes.push');
});

afterAll(async () => {
  await client.end();
  await world.close();
});

test('the pushes of a channel come once and in the order of the log, in pages that end within a batch', async () => {
  const store = new PushStore(client);
  const places: string[] = [];
  let next: { place: string; number: number } | undefined = { place: placeOf(9_900), number: 0 };
  while (next !== undefined) {
    const page = await store.feedAfter('group-1', next, placeOf(9_950), 7);
    expect(page.rows.length).toBeLessThanOrEqual(7);
    places.push(...page.rows.map(({ place }) => place));
    next = page.next && { place: page.next.place, number: page.next.number };
  }
  expect(places).toEqual(Array.from({ length: 51 }, (_, index) => placeOf(9_950 + index)));
  expect(await store.missed('group-1', { place: placeOf(9_900), number: 0 }, placeOf(9_950), 100)).toEqual({
    count: 51,
    kept: true,
  });
});

test.each(['force_custom_plan', 'force_generic_plan'])(
  'a page of a channel with many pushes is read without reading or sorting the rest (%s)',
  async (mode) => {
    await client.query(`set plan_cache_mode = ${mode}`);
    const of = { channel: '$1::text', after: { place: '$2::text', number: '$3::int' }, start: '$4::text' };
    await client.query(`prepare ${mode} as ${firstOfChannel('p.place', of, '$5::bigint')}`);
    const { rows } = await client.query({
      text: `explain execute ${mode} ('group-1', '${placeOf(100)}', 0, '', 500)`,
      rowMode: 'array',
    });
    const plan = rows.flat().join('\n');
    expect(plan).toContain('Index Scan using push_channel_batch ');
    expect(plan).not.toContain('Sort');
  },
);
