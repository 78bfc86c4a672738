import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addRows, insertRows, upsertRows } from '../../projections/store/statements.ts';
import { type RowShape, table } from '../../projections/store/table.ts';
import { pipeline } from '../../services/postgres/pipeline.ts';
import {
  bigint,
  bigints,
  boolean,
  integer,
  nullable,
  text,
  uuid,
} from '../../services/read-models/column.ts';
import { readModel } from '../../services/read-models/read-model.ts';
import { createDatabase } from '../support/database.ts';

let database: Awaited<ReturnType<typeof createDatabase>>;
let client: Client;

beforeAll(async () => {
  database = await createDatabase();
  client = new Client({ connectionString: database.url });
  await client.connect();
});

afterAll(async () => {
  await client.end();
  await database.drop();
});

const columns = {
  id: bigint,
  few: integer,
  said: nullable(text),
  event: uuid,
  done: boolean,
  whom: nullable(bigints),
};
const [inserted, copied] = [
  table(readModel('inserted', columns, ['id'])),
  table(readModel('copied', columns, ['id'])),
];

const texts = [
  '',
  '泡泡🫧',
  'a"b\\c\t\n,{}',
  'a\0b',
  '\ud800',
  null,
  `${'长\0'.repeat(400)}end`,
  'x'.repeat(5_000),
];
const lists = [[], [1], [0, -5, Number.MAX_SAFE_INTEGER], null];
const rows: readonly RowShape[] = Array.from({ length: 400 }, (_, index) => ({
  id: index * 2 ** 33 - 2 ** 40,
  few: 2 ** 31 - 1 - index,
  said: texts[index % texts.length] ?? null,
  event: `0190163d-8694-739b-aea5-${index.toString(16).padStart(12, '0')}`,
  done: index % 2 === 0,
  whom: lists[index % lists.length] ?? null,
}));

const make = `create table inserted (
    id bigint primary key, few integer, said text, event uuid, done boolean, whom bigint[]);
  create table copied (like inserted including all)`;

test('rows that are copied are those that would be inserted, whatever they hold', async () => {
  await client.query(make);
  await pipeline(client, [insertRows(inserted, rows)]);
  const statement = addRows(copied, rows);
  expect(statement.text).toContain('copy');
  await pipeline(client, [statement]);
  const { rows: differing } = await client.query(
    '(table inserted except table copied) union all (table copied except table inserted)',
  );
  expect(differing).toEqual([]);
  expect((await client.query('table copied')).rowCount).toBe(rows.length);
});

test('rows that are written few at a time are those that would be written at once, in few statements', async () => {
  const listed = table(readModel('listed', columns, ['id']));
  await client.query('create table listed (like inserted including all)');
  const slices = [1, 2, 3, 4, 5].map((size) => rows.slice((size * (size - 1)) / 2, (size * (size + 1)) / 2));
  await pipeline(
    client,
    slices.map((slice) => insertRows(listed, slice)),
  );
  // A second time, when they exist: the statement that replaces them changes nothing.
  await pipeline(
    client,
    slices.map((slice) => upsertRows(listed, slice)),
  );
  const expected = rows.slice(0, 15);
  await client.query('truncate inserted');
  await pipeline(client, [insertRows(inserted, expected)]);
  const { rows: differing } = await client.query(
    '(table inserted except table listed) union all (table listed except table inserted)',
  );
  expect(differing).toEqual([]);
  expect((await client.query('table listed')).rowCount).toBe(expected.length);
  const names = [...slices, rows].map((slice) => insertRows(listed, slice).name);
  expect(names).toEqual(
    [1, 2, 3, 4].map((count) => `insert listed ${count}`).concat('insert listed', 'insert listed'),
  );
});

test('a copy that is refused changes nothing, names the rule, and leaves the client usable', async () => {
  const before = { name: 'forget', text: 'delete from copied where id = 0', values: [] };
  const after = { name: 'one', text: 'select 1 as one', values: [] };
  for (let round = 0; round < 2; round++) {
    await expect(pipeline(client, [before, addRows(copied, rows), after])).rejects.toMatchObject({
      code: '23505',
      constraint: 'copied_pkey',
    });
    expect((await client.query('table copied')).rowCount).toBe(rows.length);
  }
  const wrong = rows.with(7, { id: 2 ** 53 });
  await expect(pipeline(client, [after, addRows(copied, wrong)])).rejects.toThrow(TypeError);
  expect(await pipeline(client, [after])).toEqual([[{ one: 1 }]]);
});
