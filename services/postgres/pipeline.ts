import type { Client, Connection, FieldDef } from 'pg';
import { MessageWriter, type Parameter } from './message.ts';
import { isStalePlan } from './stale-plan.ts';

export { type ArrayParameter, bools, int4s, int8s, type Parameter, texts, uuids } from './message.ts';

/**
 * A prepared statement with its parameters. A name stands for one text as long as the program runs;
 * array parameters are made with `int8s`, `texts`, `uuids` …, all others go as text.
 */
export interface Statement {
  readonly name: string;
  readonly text: string;
  readonly values: readonly Parameter[];
}

/** A row by its columns' names, decoded as the client's own `query` does it. */
export type Row = Readonly<Record<string, unknown>>;

/**
 * Runs statements one after the other in one transaction and one round trip: each is parsed once a
 * connection, and one Sync at the end commits them all. Plans that a migration made stale are made anew. Wait for one call before the next on the same
 * client, which must not be in `pg`'s own pipeline mode.
 * @returns each statement's rows, in the order given
 * @throws the error of Postgres, after which nothing of it stands and the client can be used on; the
 *   connection's error, after which it is not known whether it stands; TypeError for a value that
 *   cannot be sent, when nothing was sent
 */
export function pipeline(client: Client, statements: readonly Statement[]): Promise<Row[][]> {
  if (statements.length === 0) return Promise.resolve([]);
  return run(client, statements).catch((error: unknown) => {
    if (!isStalePlan(error)) throw error;
    // Others may be stale by the same migration, so that all are prepared anew.
    prepared.delete(client.connection);
    return run(client, statements);
  });
}

function run(client: Client, statements: readonly Statement[]): Promise<Row[][]> {
  return new Promise((resolve, reject) => {
    client.query(new Pipeline(client, statements, resolve, reject));
  });
}

/** A result's columns with what makes values of their texts. */
interface Shape {
  readonly columns: readonly { readonly name: string; readonly parse: (text: string) => unknown }[];
}

const noColumns: Shape = { columns: [] };

/** The statements that a connection knows for certain. */
const prepared = new WeakMap<Connection, Map<string, { readonly text: string; readonly shape: Shape }>>();

/** What `pg` runs: it calls `submit` when its turn has come, then the handlers as answers arrive. */
class Pipeline {
  readonly #client: Client;
  readonly #statements: readonly Statement[];
  readonly #resolve: (results: Row[][]) => void;
  readonly #reject: (error: unknown) => void;
  readonly #results: Row[][] = [];
  #known = new Map<string, { readonly text: string; readonly shape: Shape }>();
  #rows: Row[] = [];
  /** That of the statement whose answers arrive. */
  #shape: Shape | undefined;
  #broken: unknown;

  constructor(
    client: Client,
    statements: readonly Statement[],
    resolve: (results: Row[][]) => void,
    reject: (error: unknown) => void,
  ) {
    this.#client = client;
    this.#statements = statements;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Sends everything at once. An error that it returns, `pg` hands to `handleError` and goes on. */
  submit(connection: Connection): Error | null {
    const known = prepared.get(connection) ?? new Map();
    prepared.set(connection, known);
    this.#known = known;
    try {
      connection.stream.write(this.#messages());
      return null;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  #messages(): Buffer {
    const writer = new MessageWriter();
    const sent = new Set<string>();
    for (const { name, text, values } of this.#statements) {
      const before = this.#known.get(name);
      if (before && before.text !== text) throw new TypeError(`statement ${name} was another text before`);
      if (!before && !sent.has(name)) {
        // After an error it is not known how far it came, so the name may be taken.
        writer.close(name);
        writer.parse(name, text, values);
        writer.describe(name);
        sent.add(name);
      }
      writer.execute(name, values);
    }
    writer.sync();
    return writer.bytes();
  }

  handleRowDescription(message: { readonly fields: readonly FieldDef[] }): void {
    this.#shape = {
      columns: message.fields.map((field) => ({
        name: field.name,
        parse: this.#client.getTypeParser(field.dataTypeID, 'text'),
      })),
    };
  }

  handleDataRow(message: { readonly fields: readonly (string | null)[] }): void {
    if (this.#broken) return;
    const shape = this.#shape ?? this.#current()?.shape ?? noColumns;
    const row: Record<string, unknown> = {};
    try {
      for (let index = 0; index < shape.columns.length; index++) {
        const column = shape.columns[index];
        const text = message.fields[index] ?? null;
        if (column) row[column.name] = text === null ? null : column.parse(text);
      }
    } catch (error) {
      this.#broken = error;
    }
    this.#rows.push(row);
  }

  handleCommandComplete(): void {
    const statement = this.#statements[this.#results.length];
    if (statement && !this.#known.has(statement.name)) {
      this.#known.set(statement.name, { text: statement.text, shape: this.#shape ?? noColumns });
    }
    this.#shape = undefined;
    this.#results.push(this.#rows);
    this.#rows = [];
  }

  handleEmptyQuery(): void {
    this.handleCommandComplete();
  }

  handleReadyForQuery(): void {
    if (this.#broken) this.#reject(this.#broken);
    else this.#resolve(this.#results);
  }

  handleError(error: unknown): void {
    // The failed statement is parsed afresh next time: a table it knows may have changed.
    const failed = this.#statements[this.#results.length];
    if (failed) this.#known.delete(failed.name);
    this.#reject(error);
  }

  #current() {
    const statement = this.#statements[this.#results.length];
    return statement && this.#known.get(statement.name);
  }
}
