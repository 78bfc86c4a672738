import type { Row as Record, Statement } from '../../services/postgres/pipeline.ts';
import { addRows, deleteRows, selectLists, selectRows, upsertRows } from './statements.ts';
import {
  keyText,
  type ListRef,
  type Ref,
  type RowRef,
  type RowShape,
  type Table,
  valuesOf,
} from './table.ts';
import { type LoadedList, TableRows } from './table-rows.ts';

/** The rows as a projection sees and changes them while it handles one event. */
export interface Rows {
  /** The row, undefined if there is none. @throws TypeError if it was not declared to be read */
  get<Row extends RowShape>(ref: RowRef<Row>): Row | undefined;
  /** The rows of a list, in no order. @throws TypeError if it was not declared to be read */
  list<Row extends RowShape>(ref: ListRef<Row>): Row[];
  /** Inserts a row, or replaces the one of its key. It can be read from then on. */
  put<Row extends RowShape>(table: Table<Row>, row: Row): void;
  delete<Row extends RowShape>(ref: RowRef<Row>): void;
}

/** A statement that reads what some events need. */
export interface Load {
  readonly statement: Statement;
  /** Keeps what the statement returned. */
  keep(records: readonly Record[]): void;
}

/**
 * The rows of the read models in the projector's memory: projections read them here, and their changes are collected
 * here, several of one row as one, until they are written together.
 */
export class RowStore implements Rows {
  readonly #tables = new Map<Table<RowShape>, TableRows<RowShape>>();
  #event = 0;
  #lists: LoadedList<RowShape>[] = [];

  #rows<Row extends RowShape>(table: Table<Row>): TableRows<Row> {
    const known = this.#tables.get(table);
    const rows = known ?? new TableRows<RowShape>(table);
    if (!known) this.#tables.set(table, rows);
    // Only this method fills the map: under a table are its own rows.
    return rows as TableRows<RowShape> & TableRows<Row>;
  }

  /** Reads those that are not in memory: one statement for each table and list. */
  missing(refs: Iterable<Ref>): Load[] {
    const rows = new Map<Table<RowShape>, Map<string, RowRef<RowShape>>>();
    const lists = new Map<string, Map<string, ListRef<RowShape>>>();
    for (const ref of refs) {
      const { table, text } = ref;
      if (ref.list === null) {
        if (!this.#rows(table).entry(text)) within(rows, table).set(text, ref);
      } else if (!this.#rows(table).loadedList(ref.list, text)) {
        within(lists, `${table.name} by ${ref.list}`).set(text, ref);
      }
    }
    return [
      ...Array.from(rows.values(), (wanted) => this.#loadRows([...wanted.values()])),
      ...Array.from(lists.values(), (wanted) => this.#loadLists([...wanted.values()])),
    ].flat();
  }

  /** Loads rows of one table. */
  #loadRows(wanted: readonly RowRef<RowShape>[]): Load[] {
    const [first] = wanted;
    if (!first) return [];
    const { table } = first;
    const keep = (records: readonly Record[]) => {
      const rows = this.#rows(table);
      for (const record of records) {
        const row = table.read(record);
        const key = valuesOf(row, table.key);
        rows.loaded(keyText(key), key, row);
      }
      for (const { text, values } of wanted) rows.loaded(text, values, undefined);
    };
    return [{ statement: selectRows(table, wanted), keep }];
  }

  /** Loads lists of one name in one table. */
  #loadLists(wanted: readonly ListRef<RowShape>[]): Load[] {
    const [first] = wanted;
    if (!first) return [];
    const { table, list } = first;
    const columns = table.lists.get(list)?.columns ?? [];
    const keep = (records: readonly Record[]) => {
      const found = new Map<string, RowShape[]>(wanted.map(({ text }) => [text, []]));
      for (const record of records) {
        const row = table.read(record);
        found.get(keyText(valuesOf(row, columns)))?.push(row);
      }
      this.#rows(table).listsLoaded(list, found);
    };
    return [{ statement: selectLists(table, list, wanted), keep }];
  }

  /** Begins an event, which may read these rows and lists. */
  open(refs: readonly Ref[]): void {
    this.#event++;
    this.#lists = [];
    for (const { table, list, text } of refs) {
      const rows = this.#rows(table);
      const found = list === null ? rows.entry(text) : rows.loadedList(list, text);
      if (!found) throw new TypeError(`${table.name} ${text} was not loaded`);
      found.readableBy = this.#event;
      if ('entries' in found) this.#lists.push(found);
    }
  }

  get<Row extends RowShape>({ table, text }: RowRef<Row>): Row | undefined {
    const entry = this.#rows(table).entry(text);
    const readable =
      entry && (entry.readableBy === this.#event || this.#lists.some(({ entries }) => entries.has(entry)));
    if (!readable) throw new TypeError(`${table.name} ${text} is read, but was not declared to be`);
    return entry.row;
  }

  list<Row extends RowShape>({ table, list, text }: ListRef<Row>): Row[] {
    const loaded = this.#rows(table).loadedList(list, text);
    if (loaded?.readableBy !== this.#event) {
      throw new TypeError(`${table.name} by ${list} ${text} is read, but was not declared to be`);
    }
    const rows: Row[] = [];
    for (const { row } of loaded.entries) if (row) rows.push(row);
    return rows;
  }

  put<Row extends RowShape>(table: Table<Row>, row: Row): void {
    const key = valuesOf(row, table.key);
    this.#rows(table).change(keyText(key), key, row).readableBy = this.#event;
  }

  delete<Row extends RowShape>({ table, text, values }: RowRef<Row>): void {
    this.#rows(table).change(text, values, undefined).readableBy = this.#event;
  }

  /** The number of rows to write. */
  get changes(): number {
    let count = 0;
    for (const { changes } of this.#tables.values()) count += changes;
    return count;
  }

  /** The statements that write all changes since the last call. If they fail, the store is of no more use. */
  writes(): Statement[] {
    const statements: Statement[] = [];
    for (const [table, rows] of this.#tables) {
      const fresh: RowShape[] = [];
      const present: RowShape[] = [];
      const gone: RowRef<RowShape>['values'][] = [];
      for (const { row, key, stored } of rows.send()) {
        if (!row) gone.push(key);
        else if (table.grows && !stored) fresh.push(row);
        else present.push(row);
      }
      if (fresh.length > 0) statements.push(addRows(table, fresh));
      if (present.length > 0) statements.push(upsertRows(table, present));
      if (gone.length > 0) statements.push(deleteRows(table, gone));
    }
    return statements;
  }

  /** To be called when the statements of the last `writes` are committed, before the next ones are asked for. */
  written(): void {
    for (const rows of this.#tables.values()) rows.written();
  }
}

/** The map under a key, made if there is none. */
function within<Outer, Of>(maps: Map<Outer, Map<string, Of>>, key: Outer): Map<string, Of> {
  const known = maps.get(key);
  if (known) return known;
  const made = new Map<string, Of>();
  maps.set(key, made);
  return made;
}
