import { createHash } from 'node:crypto';
import type { Client } from 'pg';
import { models } from './sets.ts';

/** A value that two sets of read models do not share; without a column, a row that one of them lacks. */
export interface Difference {
  readonly table: string;
  readonly key: Readonly<Record<string, unknown>>;
  readonly column?: string;
  /** Undefined: there is no such row. */
  readonly before?: unknown;
  readonly after?: unknown;
}

export interface Comparison {
  /** How many rows the later set has. */
  readonly rows: number;
  /** Of all its rows, whatever their order: the same log gives the same on one version of Postgres. */
  readonly hash: string;
  /** The first rows that differ of each table, a difference for each column. */
  readonly differences: readonly Difference[];
  /** How many rows differ, by table; only tables in which any does. */
  readonly counts: Readonly<Record<string, number>>;
}

interface DifferentRow {
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
  readonly count: string;
}

/** How many rows a table has, and the sum of their hashes, in which their order does not matter. */
interface Digest {
  readonly count: string;
  readonly sum: string;
}

/**
 * Compares all rows of two sets of read models. Tables of equal digests are the same: to find the rows that differ
 * takes several times as long.
 * @param maxRows how many rows that differ are named of each table
 */
export async function compareSets(
  client: Client,
  before: string,
  after: string,
  maxRows: number,
): Promise<Comparison> {
  const differences: Difference[] = [];
  const counts: Record<string, number> = {};
  const hash = createHash('sha256');
  let total = 0;
  for (const { name, key } of models) {
    const [former, later] = [await digestOf(client, before, name), await digestOf(client, after, name)];
    hash.update(`${name} ${later.count} ${later.sum}\n`);
    total += Number(later.count);
    if (former.count === later.count && former.sum === later.sum) continue;
    const [first = ''] = key;
    const same = key.map((column) => `b."${column}" = a."${column}"`).join(' and ');
    const order = key.map((column) => `coalesce(b."${column}", a."${column}")`).join(', ');
    const { rows } = await client.query<DifferentRow>(
      `select case when b."${first}" is not null then to_jsonb(b) end as before,
              case when a."${first}" is not null then to_jsonb(a) end as after,
              count(*) over () as count
         from ${before}.${name} b full join ${after}.${name} a on ${same}
        where row(b.*) is distinct from row(a.*)
        order by ${order} limit $1`,
      [maxRows],
    );
    const count = Number(rows[0]?.count ?? 0);
    if (count > 0) counts[name] = count;
    for (const row of rows) differences.push(...differencesOf(name, key, row));
  }
  return { rows: total, hash: hash.digest('hex'), differences, counts };
}

function differencesOf(table: string, key: readonly string[], { before, after }: DifferentRow): Difference[] {
  const row = after ?? before ?? {};
  const where = { table, key: Object.fromEntries(key.map((column) => [column, row[column]])) };
  if (before === null) return [{ ...where, after }];
  if (after === null) return [{ ...where, before }];
  return Object.keys(after)
    .filter((column) => JSON.stringify(before[column]) !== JSON.stringify(after[column]))
    .map((column) => ({ ...where, column, before: before[column], after: after[column] }));
}

async function digestOf(client: Client, schema: string, table: string): Promise<Digest> {
  const { rows } = await client.query<Digest>(
    `select count(*) as count, coalesce(sum(hash_record_extended(t, 0)::numeric), 0)::text as sum
       from ${schema}.${table} t`,
  );
  return rows[0] ?? { count: '0', sum: '0' };
}
