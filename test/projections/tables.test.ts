import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { readModels } from '../../services/read-models/read-models.ts';
import { createDatabase } from '../support/database.ts';

/** A table as it is compared. */
interface Listed {
  readonly table: string;
  readonly columns: readonly string[];
  readonly key: readonly string[];
}

const listed = (column: string, type: string, nullable: boolean) =>
  `${column} ${type}${nullable ? ' or null' : ''}`;

/** The order of columns is that of their migrations, and matters to no statement of ours: all name them. */
const sorted = (one: Listed): Listed => ({ ...one, columns: one.columns.toSorted() });
const byName = (one: Listed, other: Listed) => (one.table < other.table ? -1 : 1);

const columns = `
  select c.relname as table,
         array_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
                     || case when a.attnotnull then '' else ' or null' end order by a.attnum) as columns,
         (select array_agg(k.attname order by p.place)
            from pg_index i
            cross join unnest(i.indkey::int2[]) with ordinality p (attnum, place)
            join pg_attribute k on k.attrelid = c.oid and k.attnum = p.attnum
           where i.indrelid = c.oid and i.indisprimary)::text[] as key
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
   where c.relnamespace = 'read'::regnamespace and c.relkind = 'r'
   group by c.oid, c.relname order by c.relname`;

test('the migrations make the columns and keys that the read models declare', async () => {
  const database = await createDatabase();
  onTestFinished(() => database.drop());
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    const { rows } = await client.query<Listed>(columns);
    const declared = Object.values(readModels).map(({ name, columns, key }) => ({
      table: name,
      columns: Object.entries(columns).map(([column, { type, nullable }]) => listed(column, type, nullable)),
      key: [...key],
    }));
    expect(declared.map(sorted).toSorted(byName)).toEqual(rows.map(sorted));
  } finally {
    await client.end();
  }
});
