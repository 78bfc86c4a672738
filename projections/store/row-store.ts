import type { Row as Record, Statement } from '../../services/postgres/pipeline.ts';
import type { Value } from '../../services/read-models/column.ts';
import { addRows, deleteRows, selectLists, selectRows, upsertRows } from './statements.ts';
import {
  type Entry,
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

/**
 * Up to this number, the rows that an event declared are looked through by their values, which takes less than to make
 * the text of a key and to look that up.
 */
const maxSearched = 8;

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
  /** What the event declared. */
  #refs: readonly Ref[] = [];
  #changes = 0;

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
        ref.entry = this.#rows(table).entry(text);
        if (!ref.entry) within(rows, table).set(text, ref);
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
      for (const ref of wanted) ref.entry = rows.loaded(ref.text, ref.values, undefined);
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
    this.#refs = refs;
    for (const ref of refs) {
      const rows = this.#rows(ref.table);
      if (ref.list === null) ref.entry ??= rows.entry(ref.text);
      const found = ref.list === null ? ref.entry : rows.loadedList(ref.list, ref.text);
      if (!found) throw new TypeError(`${ref.table.name} ${ref.text} was not loaded`);
      found.readableBy = this.#event;
      if ('entries' in found) this.#lists.push(found);
    }
  }

  get<Row extends RowShape>(ref: RowRef<Row>): Row | undefined {
    const { table } = ref;
    const declared = this.#declared(table, ref.values);
    if (declared) return declared.row;
    const entry = this.#rows(table).entry(ref.text);
    const readable =
      entry && (entry.readableBy === this.#event || this.#lists.some(({ entries }) => entries.has(entry)));
    if (!readable) throw new TypeError(`${table.name} ${ref.text} is read, but was not declared to be`);
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
    this.#change(table, valuesOf(row, table.key), row);
  }

  delete<Row extends RowShape>({ table, values }: RowRef<Row>): void {
    this.#change(table, values, undefined);
  }

  #change<Row extends RowShape>(table: Table<Row>, key: readonly Value[], row: Row | undefined): void {
    const rows = this.#rows(table);
    const entry = this.#declared(table, key) ?? rows.loaded(keyText(key), key, undefined);
    if (!entry.changed) this.#changes++;
    rows.change(entry, row);
    entry.readableBy = this.#event;
  }

  /** The entry of a row that the event declared by its key; undefined for another row, or if it declared many. */
  #declared<Row extends RowShape>(table: Table<Row>, key: readonly Value[]): Entry<Row> | undefined {
    const refs = this.#refs;
    if (refs.length > maxSearched) return undefined;
    for (const ref of refs) {
      if (namesRowOf(table, ref) && isSame(ref.values, key)) return ref.entry;
    }
    return undefined;
  }

  /** The number of rows to write. */
  get changes(): number {
    return this.#changes;
  }

  /** The statements that write all changes since the last call. If they fail, the store is of no more use. */
  writes(): Statement[] {
    const statements: Statement[] = [];
    this.#changes = 0;
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

function namesRowOf<Row extends RowShape>(table: Table<Row>, ref: Ref): ref is RowRef<Row> {
  return ref.table === table && ref.list === null;
}

function isSame(one: readonly Value[], other: readonly Value[]): boolean {
  for (let index = 0; index < one.length; index++) if (one[index] !== other[index]) return false;
  return true;
}

/** The map under a key, made if there is none. */
function within<Outer, Of>(maps: Map<Outer, Map<string, Of>>, key: Outer): Map<string, Of> {
  const known = maps.get(key);
  if (known) return known;
  const made = new Map<string, Of>();
  maps.set(key, made);
  return made;
}
