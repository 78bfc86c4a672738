import { join } from 'node:path';
import type { Client } from 'pg';
import { wholeLines } from '../audit/copy/folder-copy.ts';
import { writeDurably } from './durable-file.ts';
import type { TableFile } from './manifest.ts';

/** The table of people's names and passwords. */
const accountsTable = 'accounts.accounts';

/** Tables that no log can make again, with their keys. */
export const backedUpTables: ReadonlyMap<string, string> = new Map([
  [accountsTable, 'uid'],
  ['accounts.tokens', 'hash'],
  ['accounts.known_addresses', 'uid, address'],
  ['accounts.created_groups', 'uid, unique_id'],
  ['accounts.uploads', 'path'],
  ['accounts.upload_usage', 'uid'],
  ['audit.heads', 'origin, size'],
  ['audit.witnesses', 'url, origin'],
]);

/** Tables beside them that hold only what is void after minutes. */
export const passingTables: readonly string[] = [
  'accounts.captchas',
  'accounts.failed_passwords',
  'accounts.sms_codes',
  'accounts.sms_inbox',
];

/** Rows that are read or inserted at once. */
const rowsAtOnce = 1_000;

/**
 * Writes the tables that exist into files of a folder, a row in a line of JSON, in the transaction under way.
 * @throws what `pg` and the disk throw
 */
export async function dumpTables(client: Client, folder: string): Promise<TableFile[]> {
  const files: TableFile[] = [];
  for (const [table, key] of backedUpTables) {
    const columns = await columnsOf(client, table);
    if (columns.length === 0) continue;
    const select = `select to_jsonb(t)::text as row from ${table} t order by ${key}`;
    files.push(
      await dump(client, select, { table, columns, folder, name: `${table}.ndjson`, replaces: false }),
    );
  }
  return files;
}

/** Writes the accounts of some people as they are now: their rows go before those that were written earlier. */
export async function dumpAccounts(
  client: Client,
  folder: string,
  uids: readonly number[],
): Promise<TableFile> {
  const columns = await columnsOf(client, accountsTable);
  const select = `select to_jsonb(t)::text as row from ${accountsTable} t where uid = any('{${uids.join(',')}}')`;
  const name = `${accountsTable}-late.ndjson`;
  return dump(client, select, { table: accountsTable, columns, folder, name, replaces: true });
}

async function dump(
  client: Client,
  select: string,
  { folder, ...file }: Omit<TableFile, 'rows' | 'bytes' | 'sha256'> & { readonly folder: string },
): Promise<TableFile> {
  let rows = 0;
  await client.query(`declare rows no scroll cursor for ${select}`);
  const lines = async function* (): AsyncGenerator<string> {
    for (;;) {
      const page = await client.query<{ row: string }>(`fetch ${rowsAtOnce} from rows`);
      if (page.rows.length === 0) return;
      rows += page.rows.length;
      yield page.rows.map(({ row }) => `${row}\n`).join('');
    }
  };
  const written = await writeDurably(join(folder, file.name), lines());
  await client.query('close rows');
  return { ...file, rows, ...written };
}

/** The columns of a table that are written, in their order; none if there is no such table. */
async function columnsOf(client: Client, table: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select attname as name from pg_attribute
      where attrelid = to_regclass($1) and attnum > 0 and not attisdropped order by attnum`,
    [table],
  );
  return rows.map(({ name }) => name);
}

/**
 * Inserts the rows of a file into their table, in the transaction under way.
 * @throws Error if the table lacks a column; what `pg` and the disk throw
 */
export async function loadTable(client: Client, folder: string, file: TableFile): Promise<void> {
  const { table, columns, name, replaces } = file;
  const known = new Set(await columnsOf(client, table));
  const lacking = columns.filter((column) => !known.has(column));
  if (lacking.length > 0 || !backedUpTables.has(table)) {
    throw new Error(
      `the table ${table} of the target has no ${lacking.join(', ') || 'place in a backup'}: give an empty database, ` +
        'whose tables are made by the restore',
    );
  }
  const list = columns.map((column) => client.escapeIdentifier(column)).join(', ');
  const rows = `select ${list} from jsonb_populate_recordset(null::${table}, $1::jsonb)`;
  const insert = async (lines: readonly string[]) => {
    const json = `[${lines.join(',')}]`;
    if (!replaces) {
      await client.query(`insert into ${table} (${list}) ${rows}`, [json]);
      return;
    }
    await client.query(`delete from ${table} where uid in (select uid from (${rows}) late)`, [json]);
    // A name that another row has: the account is put back from the log at the start.
    await client.query(`insert into ${table} (${list}) ${rows} on conflict do nothing`, [json]);
  };
  let held: string[] = [];
  for await (const line of wholeLines(join(folder, name))) {
    held.push(line);
    if (held.length < rowsAtOnce) continue;
    await insert(held);
    held = [];
  }
  if (held.length > 0) await insert(held);
}
