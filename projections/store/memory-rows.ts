import type { Rows } from './row-store.ts';
import { keyText, type ListRef, type RowRef, type RowShape, type Table, valuesOf } from './table.ts';

/**
 * Rows that are kept in memory alone, all of them: for applying projections to part of the log, apart
 * from the tables of the database. A row may be read whether it was declared or not.
 */
export class MemoryRows implements Rows {
  readonly #tables = new Map<Table<RowShape>, MemoryTable>();

  get<Row extends RowShape>({ table, text }: RowRef<Row>): Row | undefined {
    // Under a table are its own rows: `put` is the only way in.
    return this.#table(table).rows.get(text) as Row | undefined;
  }

  list<Row extends RowShape>({ table, list, text }: ListRef<Row>): Row[] {
    return this.#table(table).list(list, text) as Row[];
  }

  put<Row extends RowShape>(table: Table<Row>, row: Row): void {
    this.#table(table).set(keyText(valuesOf(row, table.key)), row);
  }

  delete<Row extends RowShape>({ table, text }: RowRef<Row>): void {
    this.#table(table).set(text, undefined);
  }

  #table<Row extends RowShape>(table: Table<Row>): MemoryTable {
    const known = this.#tables.get(table);
    if (known) return known;
    const made = new MemoryTable(table);
    this.#tables.set(table, made);
    return made;
  }
}

class MemoryTable {
  readonly rows = new Map<string, RowShape>();
  readonly #table: Table<RowShape>;
  /** The rows of each list by their keys, from the first time that it is asked for. */
  readonly #lists = new Map<string, Map<string, Map<string, RowShape>>>();

  constructor(table: Table<RowShape>) {
    this.#table = table;
  }

  set(key: string, row: RowShape | undefined): void {
    const before = this.rows.get(key);
    if (row) this.rows.set(key, row);
    else this.rows.delete(key);
    for (const list of this.#lists.keys()) {
      if (before) this.#within(list, before).delete(key);
      if (row) this.#within(list, row).set(key, row);
    }
  }

  list(list: string, text: string): RowShape[] {
    if (!this.#lists.has(list)) {
      this.#lists.set(list, new Map());
      for (const [key, row] of this.rows) this.#within(list, row).set(key, row);
    }
    return [...(this.#lists.get(list)?.get(text)?.values() ?? [])];
  }

  /** The rows that are in one list with `row`. */
  #within(list: string, row: RowShape): Map<string, RowShape> {
    const lists = this.#lists.get(list);
    const text = keyText(valuesOf(row, this.#table.lists.get(list)?.columns ?? []));
    const found = lists?.get(text) ?? new Map<string, RowShape>();
    lists?.set(text, found);
    return found;
  }
}
