import type { Column, Value } from '../../services/read-models/column.ts';
import type { ReadModel, RowShape } from '../../services/read-models/read-model.ts';

export type { RowShape } from '../../services/read-models/read-model.ts';

/** A table that the projections read and write, and nobody else writes. */
export interface Table<Row extends RowShape> {
  readonly name: string;
  readonly columns: ReadonlyMap<string, Column<Value>>;
  readonly key: readonly string[];
  /** The lists of rows that can be asked for, by their names. */
  readonly lists: ReadonlyMap<string, List>;
  /** About how many rows stay in memory between two batches. */
  readonly maxKept: number;
  /** Whether a row that is put without having been read is always a new one. */
  readonly grows: boolean;
  /** Makes a row of what `pg` gives. */
  read(record: Readonly<Record<string, unknown>>): Row;
}

/** Rows that have some columns' values in common. */
export interface List {
  readonly columns: readonly string[];
  /** A condition that all its rows meet, if the index covers only such rows. */
  readonly where?: string;
}

/** A row in memory; `row` is undefined if the table is known to have none under this key. */
export interface Entry<Row extends RowShape> {
  row: Row | undefined;
  /** The key's values. */
  readonly key: readonly Value[];
  /** Whether the table is known to have a row under this key, perhaps an older version. */
  stored: boolean;
  /** Whether it is to be written. */
  changed: boolean;
  /** The last event that may read it. */
  readableBy: number;
}

/** Names one row, which may exist or not. */
export type RowRef<Row extends RowShape> = NamedRows<Row, null>;

/** Names the rows of a list that have these values. */
export type ListRef<Row extends RowShape> = NamedRows<Row, string>;

class NamedRows<Row extends RowShape, List extends string | null> {
  readonly table: Table<Row>;
  readonly list: List;
  readonly values: readonly Value[];
  /** What is in memory of the row that it names, from the moment that this was looked up for a batch. */
  entry: Entry<Row> | undefined;
  #text: string | undefined;

  constructor(table: Table<Row>, list: List, values: readonly Value[]) {
    this.table = table;
    this.list = list;
    this.values = values;
  }

  /** The values as one text: made when it is asked for, since most names are compared by their values. */
  get text(): string {
    this.#text ??= keyText(this.values);
    return this.#text;
  }
}

/** What a projection declares to read. */
export type Ref = RowRef<RowShape> | ListRef<RowShape>;

type ValuesOf<Row, Names extends readonly (keyof Row)[]> = {
  readonly [Place in keyof Names]: Row[Names[Place]];
};

/** A table with the ways to name its rows. */
export interface KeyedTable<Row extends RowShape, Key extends readonly (keyof Row & string)[]>
  extends Table<Row> {
  /** The row of a key. */
  at(...values: ValuesOf<Row, Key>): RowRef<Row>;
  /** Declares a list: the rows that have the same values in some columns. */
  listBy<const Names extends readonly (keyof Row & string)[]>(
    names: Names,
    where?: string,
  ): (...values: ValuesOf<Row, Names>) => ListRef<Row>;
}

/** The type of a table's rows. */
export type RowOf<Of> = Of extends Table<infer Row> ? Row : never;

/** Values as one text, different for any two keys of a table. */
export function keyText(values: readonly Value[]): string {
  let text = String(values[0]);
  for (let index = 1; index < values.length; index++) text += ` ${values[index]}`;
  return text;
}

/** The values of a row in some columns. */
export function valuesOf(row: RowShape, columns: readonly string[]): Value[] {
  const values: Value[] = [];
  for (const column of columns) values.push(row[column] ?? null);
  return values;
}

/** How the projector's memory treats a table, if not as usual. */
export interface TableTraits {
  /** Fewer than usual if the rows are large. */
  readonly maxKept?: number;
  readonly grows?: boolean;
}

/** A read model's table, as the projections use it. */
export function table<Row extends RowShape, const Key extends readonly (keyof Row & string)[]>(
  { name, columns, key }: ReadModel<string, Row, Key>,
  { maxKept = 20_000, grows = false }: TableTraits = {},
): KeyedTable<Row, Key> {
  const byName: ReadonlyMap<string, Column<Value>> = new Map(Object.entries(columns));
  const lists = new Map<string, List>();
  const self: KeyedTable<Row, Key> = {
    name,
    columns: byName,
    key,
    lists,
    maxKept,
    grows,
    read: (record) => {
      const row: Record<string, Value> = {};
      for (const [column, { read }] of byName) row[column] = read(record[column]);
      // Each column has just given a value of its own type.
      return row as Row;
    },
    at: (...values) => new NamedRows(self, null, values),
    listBy: (names, where) => {
      const list = names.join(' ');
      lists.set(list, { columns: names, ...(where === undefined ? {} : { where }) });
      return (...values) => new NamedRows(self, list, values);
    },
  };
  return self;
}
