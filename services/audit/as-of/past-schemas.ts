import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { makeEmptySet } from '../../../projections/rebuild/empty-set.ts';
import { type DatabaseConfig, openClient, type Purpose } from '../../postgres/connect.ts';
import {
  type AskedSchema,
  type Filled,
  type KeptSchema,
  type Shown,
  shownBy,
  shownOf,
  shows,
} from './shown.ts';

/** Kept read models may each take as much of the disk as the present ones, and each is some thousand files. */
const maxKept = 16;

/** As many are kept as may be. */
export class TooManyKept extends Error {
  override readonly name = 'TooManyKept';

  constructor() {
    super(`the read models of ${maxKept} moments are kept already: drop some first`);
  }
}

/** How often it is looked whether another process has finished, in milliseconds. */
const turnEveryMs = 250;

/** What the names of the schemas begin with. */
const beginning = 'as_of_';

/** The schemas that hold read models of moments of the past. Each is named in followers.checkpoint while it is filled. */
export class PastSchemas {
  readonly #client: Client;

  /** @param client holds a lock on each schema that it makes or uses, by which others know that it is in use */
  constructor(client: Client) {
    this.#client = client;
  }

  /**
   * Waits until no other process makes read models of this moment to keep them, and holds others off until the client ends.
   * @throws the signal's reason
   */
  async awaitTurn({ epoch, moment }: AskedSchema, signal: AbortSignal): Promise<void> {
    const name = `${beginning}${epoch} ${moment}`;
    while (!(await this.#locks('pg_try_advisory_lock', name))) {
      await delay(turnEveryMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }

  /**
   * Makes a schema with tables like the present read models, without the indexes that filling them does not need.
   * @param keep whether it may be kept
   * @throws TooManyKept
   */
  async make(keep: boolean): Promise<string> {
    const schema = `${beginning}${randomBytes(8).toString('hex')}`;
    await this.#locks('pg_advisory_lock', schema);
    try {
      if (keep) await this.#makeOneMore(schema);
      else await this.#makeEmpty(schema, keep);
      return schema;
    } catch (error) {
      await this.drop(schema);
      throw error;
    }
  }

  /** Counts and makes in one step, so that those who keep at once do not keep too many. */
  async #makeOneMore(schema: string): Promise<void> {
    await this.#locks('pg_advisory_lock', beginning);
    try {
      if ((await this.#all()).filter(({ durable }) => durable).length >= maxKept) throw new TooManyKept();
      await this.#makeEmpty(schema, true);
    } finally {
      await this.#locks('pg_advisory_unlock', beginning);
    }
  }

  async #makeEmpty(schema: string, keep: boolean): Promise<void> {
    await makeEmptySet(this.#client, schema, keep);
    await this.#client.query(
      `insert into followers.checkpoint (name, position, batch, fence, epoch) values ($1, '', 0, 1, '')`,
      [schema],
    );
  }

  /**
   * Notes what a schema shows, so that it is found again.
   * @param filled what was made
   */
  async keep(schema: string, asked: AskedSchema, filled: Filled): Promise<void> {
    const { moment, epoch } = asked;
    const made = { moment, epoch, version: await asked.version(), made: Date.now() };
    const shown: Shown = { ...made, ...shownOf(filled) };
    const comment = this.#client.escapeLiteral(JSON.stringify(shown));
    await this.#client.query(`comment on schema ${schema} is ${comment}`);
    // From here on it is used as others use it.
    await this.#locks('pg_advisory_lock_shared', schema);
    await this.#locks('pg_advisory_unlock', schema);
  }

  /** Finds a kept schema that shows what is asked for, and holds it until the client ends. */
  async useKept(asked: AskedSchema): Promise<string | undefined> {
    for (const { schema, shown } of await this.#all()) {
      if (shown === undefined || shown.moment !== asked.moment || shown.epoch !== asked.epoch) continue;
      if (!shows(shown, asked) || shown.version !== (await asked.version())) continue;
      // Another process may drop it at this moment.
      if (!(await this.#locks('pg_try_advisory_lock_shared', schema))) continue;
      if ((await this.#all()).some((one) => one.schema === schema)) return schema;
    }
    return undefined;
  }

  /** What is kept. */
  async kept(): Promise<KeptSchema[]> {
    const { rows } = await this.#client.query<{ schema: string; bytes: string | number }>(
      `select n.nspname as schema, coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint as bytes
         from pg_namespace n left join pg_class c on c.relnamespace = n.oid and c.relkind = 'r'
        where n.nspname ~ '^as_of_' group by n.nspname`,
    );
    const sizes = new Map(rows.map(({ schema, bytes }) => [schema, Number(bytes)]));
    return (await this.#all()).flatMap(({ schema, shown }) =>
      shown ? [{ schema, bytes: sizes.get(schema) ?? 0, ...shown }] : [],
    );
  }

  /** The names of schemas that answer nothing, as their comments do not say what they show: somebody wrote these by hand. */
  async unreadable(): Promise<string[]> {
    return (await this.#all()).flatMap(({ schema, commented, shown }) =>
      commented && shown === undefined ? [schema] : [],
    );
  }

  /** Drops a kept schema unless it is in use. @returns whether it was dropped */
  async dropKept({ schema }: Pick<KeptSchema, 'schema'>): Promise<boolean> {
    if (!(await this.#locks('pg_try_advisory_lock', schema))) return false;
    await this.drop(schema);
    return true;
  }

  /** Drops what processes left that ended before they could. */
  async dropLeftovers(): Promise<void> {
    for (const { schema, commented } of await this.#all()) {
      if (!commented && (await this.#locks('pg_try_advisory_lock', schema))) await this.drop(schema);
    }
  }

  /** Drops a schema that this client has made or locked. */
  async drop(schema: string): Promise<void> {
    await this.#client.query(`drop schema if exists ${schema} cascade`);
    await this.#client.query('delete from followers.checkpoint where name = $1', [schema]);
    await this.#locks('pg_advisory_unlock', schema);
  }

  async #all() {
    const { rows } = await this.#client.query<{ schema: string; comment: string | null; durable: boolean }>(
      `select nspname as schema, obj_description(n.oid, 'pg_namespace') as comment,
              exists (select from pg_class c where c.relnamespace = n.oid and c.relpersistence = 'p') as durable
         from pg_namespace n where nspname ~ '^as_of_[0-9a-f]{16}$' order by nspname`,
    );
    return rows.map(({ schema, comment, durable }) => ({
      ...{ schema, durable },
      ...{ commented: comment !== null, shown: comment === null ? undefined : shownBy(comment) },
    }));
  }

  /** Calls a function of advisory locks. @returns what it says; true for those that wait */
  async #locks(
    call: `pg_${'' | 'try_'}advisory_lock${'' | '_shared'}` | 'pg_advisory_unlock',
    name: string,
  ): Promise<boolean> {
    const { rows } = await this.#client.query<{ done: boolean | '' }>(
      `select ${call}(hashtextextended($1, 0)) as done`,
      [name],
    );
    return rows[0]?.done !== false;
  }
}

/** To drop what shows a large log takes a busy disk some seconds. */
const upkeep: Purpose = { name: 'bubble-im as-of', statementTimeoutMs: 60_000 };

/** Hands `use` the schemas of a database. */
export async function withPastSchemas<Result>(
  database: DatabaseConfig,
  use: (schemas: PastSchemas) => Promise<Result>,
): Promise<Result> {
  const client = await openClient(database, upkeep);
  try {
    return await use(new PastSchemas(client));
  } finally {
    await client.end();
  }
}
