import { concernsOf } from '../../../contracts/events/concerns.ts';
import type { DomainEvent } from '../../../contracts/events/index.ts';
import type { Uid } from '../../../contracts/ids.ts';
import type { Projection } from '../../../projections/projection.ts';
import type { Rows } from '../../../projections/store/row-store.ts';
import type { ListRef, Ref, RowRef, RowShape, Table } from '../../../projections/store/table.ts';
import { conversations, inbox, messages, users } from '../../../projections/tables.ts';
import type { Decoded } from '../../log/codec.ts';

/**
 * The projection of an event of a group, but for the notice that it leaves, which is known otherwise, and for the chats of
 * all but some people. The end of the conversation, from which the chat of a new member is counted, is read only for an
 * event that concerns one of them: it need not be known before any other.
 */
export function withoutNotice(
  projection: Projection<DomainEvent>,
  people: ReadonlySet<unknown>,
): Projection<DomainEvent> {
  return {
    reads: (event) => {
      const needed = neededBy(event, people);
      return projection.reads(event).filter(needed);
    },
    apply: (event, rows, pushes) =>
      projection.apply(event, new RowsWithoutNotices(rows, people, neededBy(event, people)), pushes),
  };
}

type Needed = (ref: Pick<Ref, 'table' | 'values'>) => boolean;

function neededBy(event: Decoded, people: ReadonlySet<unknown>): Needed {
  // It begins the conversation, and its group may be named after people.
  const begins = event.type === 'GroupCreated';
  const concerned = begins || concernsOf(event).people.some((uid: Uid) => people.has(uid));
  return ({ table, values }) => {
    switch (table.name) {
      case conversations.name:
        return concerned;
      case inbox.name:
        return people.has(values[0]);
      case messages.name:
        return false;
      case users.name:
        return begins;
      default:
        return true;
    }
  };
}

class RowsWithoutNotices implements Rows {
  readonly #rows: Rows;
  readonly #people: ReadonlySet<unknown>;
  readonly #needed: Needed;

  constructor(rows: Rows, people: ReadonlySet<unknown>, needed: Needed) {
    this.#rows = rows;
    this.#people = people;
    this.#needed = needed;
  }

  get<Row extends RowShape>(ref: RowRef<Row>): Row | undefined {
    return this.#needed(ref) ? this.#rows.get(ref) : undefined;
  }

  list<Row extends RowShape>(ref: ListRef<Row>): Row[] {
    return this.#rows.list(ref);
  }

  put<Row extends RowShape>(table: Table<Row>, row: Row): void {
    const left =
      table.name === messages.name ||
      (table.name === conversations.name && row.sequence !== 0) ||
      (table.name === inbox.name && !this.#people.has(row.uid));
    if (!left) this.#rows.put(table, row);
  }

  delete<Row extends RowShape>(ref: RowRef<Row>): void {
    if (this.#needed(ref)) this.#rows.delete(ref);
  }
}
