import type { Value } from '../../services/read-models/column.ts';
import { type Entry, keyText, type RowShape, type Table, valuesOf } from './table.ts';

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
  #changed: Entry<Row>[] = [];
  /** What is being committed. */
  #sent: Entry<Row>[] = [];
  #recent = new Map<string, Entry<Row>>();
  #older = new Map<string, Entry<Row>>();
  /** By the names of the lists, then by their values; none without a list. */
  readonly #lists = new Map<string, Map<string, LoadedList<Row>>>();

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
    return this.#lists.get(list)?.get(text);
  }

  /** Keeps what the table has under a key. */
  loaded(text: string, key: readonly Value[], row: Row | undefined): Entry<Row> {
    const known = this.entry(text);
    if (known) return known;
    const entry: Entry<Row> = { row, key, stored: row !== undefined, changed: false, readableBy: 0 };
    this.#recent.set(text, entry);
    return entry;
  }

  /** Keeps all rows of some lists of one name, by the lists' values; those in memory are newer than the table's. */
  listsLoaded(list: string, found: ReadonlyMap<string, readonly Row[]>): void {
    const columns = this.table.lists.get(list)?.columns ?? [];
    const lists = this.#lists.get(list) ?? new Map<string, LoadedList<Row>>();
    this.#lists.set(list, lists);
    for (const [text, rows] of found) {
      const entries = new Set<Entry<Row>>();
      for (const row of rows) {
        const key = valuesOf(row, this.table.key);
        const entry = this.loaded(keyText(key), key, row);
        if (entry.row && keyText(valuesOf(entry.row, columns)) === text) entries.add(entry);
      }
      lists.set(text, { entries, readableBy: 0 });
    }
    // The table may lack what is not committed yet.
    for (const entry of [...this.#sent, ...this.#changed]) {
      if (entry.row) lists.get(keyText(valuesOf(entry.row, columns)))?.entries.add(entry);
    }
  }

  /** Replaces the row of an entry, or removes it. */
  change(entry: Entry<Row>, row: Row | undefined): void {
    if (this.#lists.size > 0) this.#relist(entry, row);
    entry.row = row;
    if (entry.changed) return;
    entry.changed = true;
    this.#changed.push(entry);
  }

  #relist(entry: Entry<Row>, row: Row | undefined): void {
    const { row: former } = entry;
    for (const [list, lists] of this.#lists) {
      const columns = this.table.lists.get(list)?.columns ?? [];
      if (former && row && columns.every((column) => former[column] === row[column])) continue;
      if (former) lists.get(keyText(valuesOf(former, columns)))?.entries.delete(entry);
      if (row) lists.get(keyText(valuesOf(row, columns)))?.entries.add(entry);
    }
  }

  /** What is to be written, which counts as stored from now on; `stored` says whether the table had it before. */
  send(): { readonly row: Row | undefined; readonly key: readonly Value[]; readonly stored: boolean }[] {
    const changed = this.#changed;
    this.#changed = [];
    this.#sent = changed;
    return changed.map((entry) => {
      const { row, key, stored } = entry;
      entry.changed = false;
      entry.stored = row !== undefined;
      return { row, key, stored };
    });
  }

  /** To be called when what was sent is committed; later changes may be there already. */
  written(): void {
    this.#sent = [];
    let kept = this.#recent.size;
    for (const lists of this.#lists.values()) kept += lists.size;
    if (kept <= this.table.maxKept) return;
    // Changes that are not committed yet are of the recent generation.
    this.#older = this.#recent;
    this.#recent = new Map();
    // A list's rows are all of the recent generation, so none is left that lacks some.
    this.#lists.clear();
  }
}
