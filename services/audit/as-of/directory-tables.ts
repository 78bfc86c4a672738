import type { DomainEvent } from '../../../contracts/events/index.ts';
import type { Projection } from '../../../projections/projection.ts';
import type { Rows } from '../../../projections/store/row-store.ts';
import type { ListRef, RowRef, RowShape, Table } from '../../../projections/store/table.ts';
import { announcements, groupMembers, groupMutes, groups, users } from '../../../projections/tables.ts';

/** The tables that lists of people and groups are answered from, and those by which their rows are made. */
const shown: ReadonlySet<string> = new Set(
  [users, groups, groupMembers, groupMutes, announcements].map(({ name }) => name),
);

/** The projections, so far as they change what a directory shows: a notice in a group, for example, is not written. */
export function directoryProjections(
  projections: ReadonlyMap<string, Projection<DomainEvent>>,
): ReadonlyMap<string, Projection<DomainEvent>> {
  return new Map(Array.from(projections, ([type, projection]) => [type, shownBy(projection)]));
}

function shownBy(projection: Projection<DomainEvent>): Projection<DomainEvent> {
  return {
    reads: (event) => projection.reads(event).filter(({ table }) => shown.has(table.name)),
    apply: (event, rows, pushes) => projection.apply(event, new ShownRows(rows), pushes),
  };
}

/** The rows of the tables that are shown. The others are empty, and stay so. */
class ShownRows implements Rows {
  readonly #rows: Rows;

  constructor(rows: Rows) {
    this.#rows = rows;
  }

  get<Row extends RowShape>(ref: RowRef<Row>): Row | undefined {
    return shown.has(ref.table.name) ? this.#rows.get(ref) : undefined;
  }

  list<Row extends RowShape>(ref: ListRef<Row>): Row[] {
    return shown.has(ref.table.name) ? this.#rows.list(ref) : [];
  }

  put<Row extends RowShape>(table: Table<Row>, row: Row): void {
    if (shown.has(table.name)) this.#rows.put(table, row);
  }

  delete<Row extends RowShape>(ref: RowRef<Row>): void {
    if (shown.has(ref.table.name)) this.#rows.delete(ref);
  }
}
