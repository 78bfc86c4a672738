import { randomBytes } from 'node:crypto';
import type { Client } from 'pg';
import { z } from 'zod';
import { makeEmptySet } from '../../../projections/rebuild/empty-set.ts';
import { type DatabaseConfig, openClient, type Purpose } from '../../postgres/connect.ts';

/** What the read models in a schema show, as the schema's comment says it. */
const Shown = z.object({
  /** The name of the moment. */
  moment: z.string(),
  /** The epoch of the log: another log may have other events at the same moment. */
  epoch: z.string(),
  /** Who is shown with all that they see; left out: everybody. */
  people: z.array(z.int()).optional(),
});
type Shown = z.infer<typeof Shown>;

/** What the names of the schemas begin with. */
const beginning = 'as_of_';

/** The schemas that hold read models of moments of the past. Each is named in followers.checkpoint while it is filled. */
export class PastSchemas {
  readonly #client: Client;

  /** @param client holds a lock on each schema that it makes, by which others know that it is in use */
  constructor(client: Client) {
    this.#client = client;
  }

  /**
   * Makes a schema with tables like the present read models, without the indexes that filling them does not need.
   * @param keep whether it may be kept
   */
  async make(keep: boolean): Promise<string> {
    const schema = `${beginning}${randomBytes(8).toString('hex')}`;
    await this.#client.query('select pg_advisory_lock(hashtextextended($1, 0))', [schema]);
    await makeEmptySet(this.#client, schema, keep);
    await this.#client.query(
      `insert into followers.checkpoint (name, position, batch, fence, epoch) values ($1, '', 0, 1, '')`,
      [schema],
    );
    return schema;
  }

  /** Notes what a schema shows, so that it is found again. */
  async keep(schema: string, shown: Shown): Promise<void> {
    const comment = this.#client.escapeLiteral(JSON.stringify(shown));
    await this.#client.query(`comment on schema ${schema} is ${comment}`);
  }

  /** A kept schema that shows these people at this moment. */
  async findKept(asked: Shown & { readonly people: readonly number[] }): Promise<string | undefined> {
    const found = (await this.#all()).find(({ shown }) => {
      if (shown === undefined || shown.moment !== asked.moment || shown.epoch !== asked.epoch) return false;
      const { people } = shown;
      return people === undefined || asked.people.every((uid) => people.includes(uid));
    });
    return found?.schema;
  }

  /** Drops all that were kept. @returns how many these were */
  async dropKept(): Promise<number> {
    const kept = (await this.#all()).filter(({ shown }) => shown !== undefined);
    for (const { schema } of kept) await this.drop(schema);
    return kept.length;
  }

  /** Drops what processes left that ended before they could. */
  async dropLeftovers(): Promise<void> {
    for (const { schema, shown } of await this.#all()) {
      if (shown !== undefined) continue;
      const { rows } = await this.#client.query<{ free: boolean }>(
        'select pg_try_advisory_lock(hashtextextended($1, 0)) as free',
        [schema],
      );
      if (rows[0]?.free) await this.drop(schema);
    }
  }

  async drop(schema: string): Promise<void> {
    await this.#client.query(`drop schema if exists ${schema} cascade`);
    await this.#client.query('delete from followers.checkpoint where name = $1', [schema]);
    await this.#client.query('select pg_advisory_unlock(hashtextextended($1, 0))', [schema]);
  }

  async #all(): Promise<{ readonly schema: string; readonly shown: Shown | undefined }[]> {
    const { rows } = await this.#client.query<{ schema: string; comment: string | null }>(
      `select nspname as schema, obj_description(oid, 'pg_namespace') as comment
         from pg_namespace where nspname ~ '^as_of_[0-9a-f]{16}$' order by nspname`,
    );
    return rows.map(({ schema, comment }) => ({
      schema,
      shown: comment === null ? undefined : Shown.safeParse(JSON.parse(comment)).data,
    }));
  }
}

/** To drop what shows a large log takes a busy disk some seconds. */
const dropping: Purpose = { name: 'bubble-im as-of', statementTimeoutMs: 60_000 };

/** Drops all that was kept. @returns how many moments these were */
export async function dropKept(database: DatabaseConfig): Promise<number> {
  const client = await openClient(database, dropping);
  try {
    return await new PastSchemas(client).dropKept();
  } finally {
    await client.end();
  }
}
