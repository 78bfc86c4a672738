import type { Client, Connection, FieldDef } from 'pg';
import { serialize } from 'pg-protocol';
import type { ArrayParameter } from './array-parameter.ts';
import { isStalePlan } from './stale-plan.ts';

export { type ArrayParameter, bools, int4s, int8s, texts, uuids } from './array-parameter.ts';

export type Parameter = null | string | number | bigint | boolean | ArrayParameter;

/**
 * A prepared statement with its parameters. A name belongs to one text for as long as the program runs.
 * Array parameters are made with `int8s`, `texts`, `uuids` …; all others are sent as text.
 */
export interface Statement {
  readonly name: string;
  readonly text: string;
  readonly values: readonly Parameter[];
  /** Makes what a `copy … from stdin` reads. */
  readonly input?: () => Buffer;
}

/** A row by column names, decoded as the client's own `query` does it. */
export type Row = Readonly<Record<string, unknown>>;

/**
 * Runs statements one after the other in one transaction and one round trip: each is parsed once per
 * connection, and one Sync at the end commits them all. If a migration made plans stale, the statements are
 * prepared and run again. Wait for one call before the next on the same client, which must not be in `pg`'s
 * own pipeline mode.
 * @returns each statement's rows, in the order given
 * @throws the error of Postgres, after which nothing was changed and the client can be used on; the
 *   connection's error, after which the outcome is unknown; TypeError for a value that
 *   cannot be sent, when nothing was sent
 */
export function pipeline(client: Client, statements: readonly Statement[]): Promise<Row[][]> {
  if (statements.length === 0) return Promise.resolve([]);
  return run(client, statements).catch((error: unknown) => {
    if (!isStalePlan(error)) throw error;
    // The same migration may have made other plans stale, so all are prepared again.
    prepared.delete(client.connection);
    return run(client, statements);
  });
}

function run(client: Client, statements: readonly Statement[]): Promise<Row[][]> {
  return new Promise((resolve, reject) => {
    client.query(new Pipeline(client, statements, resolve, reject));
  });
}

/** The columns of a result, with the functions that parse their texts. */
interface Shape {
  readonly columns: readonly { readonly name: string; readonly parse: (text: string) => unknown }[];
}

const noColumns: Shape = { columns: [] };

/** The statements that are certainly prepared on a connection. */
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
  /** That of the statement whose answers are arriving. */
  #shape: Shape | undefined;
  #rowError: unknown;

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

  /** Sends everything at once. `pg` passes an error that it returns to `handleError` and goes on. */
  submit(connection: Connection): Error | null {
    const known = prepared.get(connection) ?? new Map();
    prepared.set(connection, known);
    this.#known = known;
    try {
      const messages = this.#messages();
      // One system call, and one packet if they fit.
      connection.stream.cork();
      for (const message of messages) connection.stream.write(message);
      connection.stream.uncork();
      return null;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  #messages(): Buffer[] {
    const messages: Buffer[] = [];
    const sent = new Set<string>();
    for (const { name, text, values, input } of this.#statements) {
      const known = this.#known.get(name);
      if (known && known.text !== text) throw new TypeError(`statement ${name} had another text before`);
      if (!known && !sent.has(name)) {
        messages.push(
          // After an error it is unknown whether the name is in use. Closing a name that is not is no error.
          serialize.close({ type: 'S', name }),
          serialize.parse({ name, text, types: values.map(typeIdOf) }),
          serialize.describe({ type: 'S', name }),
        );
        sent.add(name);
      }
      messages.push(serialize.bind({ statement: name, values: values.map(encoded) }), serialize.execute());
      if (input) messages.push(serialize.copyData(input()), serialize.copyDone());
    }
    messages.push(serialize.sync());
    return messages;
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
    if (this.#rowError) return;
    const shape = this.#shape ?? this.#current()?.shape ?? noColumns;
    const row: Record<string, unknown> = {};
    try {
      for (let index = 0; index < shape.columns.length; index++) {
        const column = shape.columns[index];
        const text = message.fields[index] ?? null;
        if (column) row[column.name] = text === null ? null : column.parse(text);
      }
    } catch (error) {
      this.#rowError = error;
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

  /** The input was sent with the statement: the server reads it when its turn has come. */
  handleCopyInResponse(): void {}

  handleEmptyQuery(): void {
    this.handleCommandComplete();
  }

  handleReadyForQuery(): void {
    if (this.#rowError) this.#reject(this.#rowError);
    else this.#resolve(this.#results);
  }

  handleError(error: unknown): void {
    // The failed statement is prepared again next time: a table that it uses may have changed.
    const failed = this.#statements[this.#results.length];
    if (failed) this.#known.delete(failed.name);
    this.#reject(error);
  }

  #current() {
    const statement = this.#statements[this.#results.length];
    return statement && this.#known.get(statement.name);
  }
}

/** The type of a parameter that the client declares; 0 leaves it to the server. */
function typeIdOf(value: Parameter): number {
  return isArray(value) ? value.typeId : 0;
}

/** A parameter as pg-protocol takes it: buffers are sent in binary format, strings as text. */
function encoded(value: Parameter): Buffer | string | null {
  if (value === null) return null;
  return isArray(value) ? value.encode() : String(value);
}

function isArray(value: Parameter): value is ArrayParameter {
  return typeof value === 'object' && value !== null;
}
