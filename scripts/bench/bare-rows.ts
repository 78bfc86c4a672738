import pg from 'pg';
import { insertRows } from '../../projections/store/statements.ts';
import { table } from '../../projections/store/table.ts';
import { openClient } from '../../services/postgres/connect.ts';
import { pipeline } from '../../services/postgres/pipeline.ts';
import type { RowShape } from '../../services/read-models/read-model.ts';
import { readModels } from '../../services/read-models/read-models.ts';
import { type Cost, costOf, totalOf } from './processor-time.ts';

/** About as many rows as a batch of the projector writes when it catches up. */
const rowsPerBatch = 1_000;

/**
 * Inserts the rows of the read models into empty tables like theirs, with all indexes, a batch a transaction, as a
 * rebuild writes them: without waiting for the disk.
 * @param postgres the pid of the server
 * @returns how many rows it inserted, and what that cost; to read them is not counted
 */
export async function insertBareRows(url: string, postgres: number): Promise<Cost & { rows: number }> {
  const reader = new pg.Client({ connectionString: url });
  await reader.connect();
  const writer = await openClient(url, {
    name: 'bench',
    statementTimeoutMs: 60_000,
    settings: { search_path: 'bare', synchronous_commit: 'off' },
  });
  let rows = 0;
  const costs: Cost[] = [];
  try {
    await reader.query('drop schema if exists bare cascade; create schema bare');
    for (const model of Object.values(readModels)) {
      const { name, key } = model;
      await reader.query(`create table bare.${name} (like read.${name} including all)`);
      const records = await reader.query<Readonly<Record<string, unknown>>>(
        `select * from read.${name} order by ${key.map((column) => `"${column}"`).join(', ')}`,
      );
      const into = table<RowShape, readonly string[]>(model);
      const found = records.rows.map((record) => into.read(record));
      const cost = await costOf(postgres, async () => {
        for (let from = 0; from < found.length; from += rowsPerBatch) {
          await pipeline(writer, [insertRows(into, found.slice(from, from + rowsPerBatch))]);
        }
      });
      costs.push(cost);
      rows += found.length;
    }
  } finally {
    await reader.query('drop schema if exists bare cascade').finally(() => reader.end());
    await writer.end();
  }
  return { rows, ...totalOf(costs) };
}
