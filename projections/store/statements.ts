import { encodeRows } from '../../services/postgres/copied-rows.ts';
import { rowsSource, rowsSuffix } from '../../services/postgres/parameter-rows.ts';
import type { Statement } from '../../services/postgres/pipeline.ts';
import type { Column, Value } from '../../services/read-models/column.ts';
import type { ListRef, RowRef, RowShape, Table } from './table.ts';

/*
 * The statements of a table. Each reads or writes many rows, with an array for each column, so that its text, and
 * with it its plan, does not depend on their number unless they are few. The schema is that of the session's search_path.
 */

const quoted = (name: string) => `"${name}"`;

/** `unnest($1::bigint[], …) as given (…)`: the parameters as a table of this number of rows. */
function given(table: Table<RowShape>, columns: readonly string[], count: number): string {
  const arrays = columns.map((name) => columnOf(table, name).array);
  return `${rowsSource(arrays, count)} as given (${columns.map(quoted).join(', ')})`;
}

/** The keys of rows as parameters, an array for each of their columns. */
function parameters(table: Table<RowShape>, columns: readonly string[], keys: readonly (readonly Value[])[]) {
  return columns.map((name, index) => columnOf(table, name).write(keys.map((key) => key[index] ?? null)));
}

function columnOf(table: Table<RowShape>, name: string): Column<Value> {
  const column = table.columns.get(name);
  if (!column) throw new TypeError(`${table.name} has no column ${name}`);
  return column;
}

function matching(columns: readonly string[]): string {
  return columns.map((column) => `stored.${quoted(column)} = given.${quoted(column)}`).join(' and ');
}

function selected(table: Table<RowShape>): string {
  return [...table.columns.keys()].map((column) => `stored.${quoted(column)}`).join(', ');
}

const texts = new Map<string, string>();

/** Each statement's text is made once. */
export function once(name: string, make: () => string): string {
  const known = texts.get(name);
  if (known !== undefined) return known;
  const made = make();
  texts.set(name, made);
  return made;
}

/** Reads the rows of these keys. */
export function selectRows(table: Table<RowShape>, refs: readonly RowRef<RowShape>[]): Statement {
  const name = `rows of ${table.name}${rowsSuffix(refs.length)}`;
  return {
    name,
    text: once(
      name,
      () =>
        `select ${selected(table)} from ${table.name} as stored
         join ${given(table, table.key, refs.length)} on ${matching(table.key)}`,
    ),
    values: parameters(
      table,
      table.key,
      refs.map(({ values }) => values),
    ),
  };
}

/** Reads all rows of some lists of one name. */
export function selectLists(
  table: Table<RowShape>,
  list: string,
  refs: readonly ListRef<RowShape>[],
): Statement {
  const name = `${table.name} by ${list || 'all'}${rowsSuffix(refs.length)}`;
  const { columns, where } = table.lists.get(list) ?? { columns: [] };
  const joined =
    columns.length === 0 ? '' : `join ${given(table, columns, refs.length)} on ${matching(columns)}`;
  return {
    name,
    text: once(
      name,
      () =>
        `select ${selected(table)} from ${table.name} as stored ${joined}
         ${where === undefined ? '' : `where ${where}`}`,
    ),
    values: parameters(
      table,
      columns,
      refs.map(({ values }) => values),
    ),
  };
}

/** Inserts new rows, which costs a fifth less than an upsert. */
export function insertRows(table: Table<RowShape>, rows: readonly RowShape[]): Statement {
  const name = `insert ${table.name}${rowsSuffix(rows.length)}`;
  return { name, text: once(name, () => inserting(table, rows.length)), values: all(table, rows) };
}

/** From this number of rows on it takes less to copy them than to insert them. */
const minCopied = 200;

/** Adds new rows to a table. */
export function addRows(table: Table<RowShape>, rows: readonly RowShape[]): Statement {
  return rows.length < minCopied ? insertRows(table, rows) : copyRows(table, rows);
}

function copyRows(table: Table<RowShape>, rows: readonly RowShape[]): Statement {
  const name = `copy ${table.name}`;
  const columns = Array.from(table.columns, ([column, { copied: type }]) => ({ name: column, type }));
  return {
    name,
    text: once(
      name,
      () =>
        `copy ${table.name} (${columns.map((column) => quoted(column.name)).join(', ')}) from stdin (format binary)`,
    ),
    values: [],
    input: () => encodeRows(columns, rows),
  };
}

/** Inserts rows, or replaces those of the same keys. */
export function upsertRows(table: Table<RowShape>, rows: readonly RowShape[]): Statement {
  const name = `write ${table.name}${rowsSuffix(rows.length)}`;
  const text = once(name, () => {
    const changes = [...table.columns.keys()]
      .filter((column) => !table.key.includes(column))
      .map((column) => `${quoted(column)} = excluded.${quoted(column)}`);
    return `${inserting(table, rows.length)} on conflict (${table.key.map(quoted).join(', ')})
      do ${changes.length === 0 ? 'nothing' : `update set ${changes.join(', ')}`}`;
  });
  return { name, text, values: all(table, rows) };
}

function inserting(table: Table<RowShape>, count: number): string {
  const columns = [...table.columns.keys()];
  const sources = columns.map((column) => {
    const cast = table.columns.get(column)?.cast;
    return `given.${quoted(column)}${cast === undefined ? '' : `::${cast}`}`;
  });
  return `insert into ${table.name} (${columns.map(quoted).join(', ')})
    select ${sources.join(', ')} from ${given(table, columns, count)}`;
}

/** Rows as parameters, an array for each column of the table. */
function all(table: Table<RowShape>, rows: readonly RowShape[]) {
  return Array.from(table.columns, ([name, column]) => column.write(rows.map((row) => row[name] ?? null)));
}

/** Deletes the rows of these keys. */
export function deleteRows(table: Table<RowShape>, keys: readonly (readonly Value[])[]): Statement {
  const name = `delete ${table.name}${rowsSuffix(keys.length)}`;
  return {
    name,
    text: once(
      name,
      () =>
        `delete from ${table.name} as stored using ${given(table, table.key, keys.length)} where ${matching(table.key)}`,
    ),
    values: parameters(table, table.key, keys),
  };
}
