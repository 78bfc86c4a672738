import type { Column, Value } from './column.ts';

/** A row of a read model. Rows are never changed, but replaced. */
export type RowShape = Readonly<Record<string, Value>>;

/** A table that projections write from the log, in the schema `read`. */
export interface ReadModel<
  Name extends string,
  Row extends RowShape,
  Key extends readonly (keyof Row & string)[],
> {
  readonly name: Name;
  /** In the order of the table. */
  readonly columns: { readonly [Column_ in keyof Row]: Column<Row[Column_]> };
  /** The columns of the primary key. */
  readonly key: Key;
}

/** Declares a read model. Its migration must make the same table: test/projections/tables.test.ts compares. */
export function readModel<
  const Name extends string,
  Row extends RowShape,
  const Key extends readonly (keyof Row & string)[],
>(
  name: Name,
  columns: { readonly [Column_ in keyof Row]: Column<Row[Column_]> },
  key: Key,
): ReadModel<Name, Row, Key> {
  return { name, columns, key };
}

/** The type of a read model's rows. */
export type RowOf<Model> = Model extends { readonly columns: infer Columns }
  ? { readonly [Name in keyof Columns]: Columns[Name] extends Column<infer Type> ? Type : never }
  : never;
