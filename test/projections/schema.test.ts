import { createHash } from 'node:crypto';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { readMigrations } from '../../projections/migrations.ts';
import { createEmptyDatabase } from '../support/database.ts';
import { listCatalogue } from './catalogue.ts';

/** The statements of a migration as one line, without comments, as a hash. */
function hashOf(sql: string): string {
  const statements = sql.replaceAll(/--.*/g, '').replaceAll(/\s+/g, ' ').trim();
  return createHash('sha256').update(statements).digest('hex');
}

/** What a migration changed in the catalogue. */
function changes(before: readonly string[], after: readonly string[]): string[] {
  const gone = before.filter((entry) => !after.includes(entry));
  const added = after.filter((entry) => !before.includes(entry));
  return [...gone.map((entry) => `- ${entry}`), ...added.map((entry) => `+ ${entry}`)];
}

test('every migration makes the schema that it made when it was released', async () => {
  const database = await createEmptyDatabase();
  onTestFinished(() => database.drop());
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    let before = await listCatalogue(client);
    for (const { name, sql } of await readMigrations()) {
      await client.query(sql);
      const after = await listCatalogue(client);
      const listing = [`statements ${hashOf(sql)}`, ...changes(before, after)].join('\n');
      await expect(`${listing}\n`, name).toMatchFileSnapshot(`schema/${name}.txt`);
      before = after;
    }
  } finally {
    await client.end();
  }
});

/** Released before this was a rule; databases have recorded these names. */
const doubledNumbers = ['0040', '0060', '0070'];

test('no two migrations have the same number, except those that were released so', async () => {
  const numbers = (await readMigrations()).map(({ name }) => name.slice(0, 4));
  const doubled = new Set(numbers.filter((number, index) => numbers.indexOf(number) !== index));
  expect([...doubled]).toEqual(doubledNumbers);
});
