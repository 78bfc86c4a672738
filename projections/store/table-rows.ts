import type { Value } from '../../services/read-models/column.ts';
import { keyText, type RowShape, type Table, valuesOf } from './table.ts';

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

/** All rows of a list, in memory as a whole or not at all. */
export interface LoadedList<Row extends RowShape> {
  readonly entries: Set<Entry<Row>>;
  readableBy: number;
}

/**
 * One table's rows in memory: those read or written lately. They are kept in two generations: what was not used for a
 * whole generation is dropped.
 */
export class TableRows<Row extends RowShape> {
  readonly table: Table<Row>;
  readonly changed: Entry<Row>[] = [];
  #recent = new Map<string, Entry<Row>>();
  #older = new Map<string, Entry<Row>>();
  readonly #lists = new Map<string, LoadedList<Row>>();

  constructor(table: Table<Row>) {
    this.table = table;
  }

  /** The entry of a key, if the row is in memory or known not to exist. */
  entry(text: string): Entry<Row> | undefined {
    const recent = this.#recent.get(text);
    if (recent) return recent;
    const older = this.#older.get(text);
    if (older) {
      this.#older.delete(text);
      this.#recent.set(text, older);
    }
    return older;
  }

  loadedList(list: string, text: string): LoadedList<Row> | undefined {
    return this.#lists.get(`${list}=${text}`);
  }

  /** Keeps what the table has under a key. */
  loaded(text: string, key: readonly Value[], row: Row | undefined): Entry<Row> {
    const known = this.entry(text);
    if (known) return known;
    const entry: Entry<Row> = { row, key, stored: row !== undefined, changed: false, readableBy: 0 };
    this.#recent.set(text, entry);
    return entry;
  }

  /** Keeps all rows of a list. */
  listLoaded(list: string, text: string, rows: readonly Row[]): void {
    const entries = new Set<Entry<Row>>();
    for (const row of rows) {
      const key = valuesOf(row, this.table.key);
      entries.add(this.loaded(keyText(key), key, row));
    }
    this.#lists.set(`${list}=${text}`, { entries, readableBy: 0 });
  }

  /** Replaces the row of a key, or removes it. */
  change(text: string, key: readonly Value[], row: Row | undefined): Entry<Row> {
    const entry = this.loaded(text, key, undefined);
    if (this.#lists.size > 0) this.#relist(entry, row);
    entry.row = row;
    if (!entry.changed) {
      entry.changed = true;
      this.changed.push(entry);
    }
    return entry;
  }

  #relist(entry: Entry<Row>, row: Row | undefined): void {
    for (const [list, { columns }] of this.table.lists) {
      const before = entry.row && keyText(valuesOf(entry.row, columns));
      const after = row && keyText(valuesOf(row, columns));
      if (before === after) continue;
      if (before !== undefined) this.loadedList(list, before)?.entries.delete(entry);
      if (after !== undefined) this.loadedList(list, after)?.entries.add(entry);
    }
  }

  /** To be called when all changes are committed. */
  written(): void {
    for (const entry of this.changed) {
      entry.changed = false;
      entry.stored = entry.row !== undefined;
    }
    this.changed.length = 0;
    if (this.#recent.size + this.#lists.size <= this.table.maxKept) return;
    this.#older = this.#recent;
    this.#recent = new Map();
    // A list's rows are all of the recent generation, so none is left that lacks some.
    this.#lists.clear();
  }
}
