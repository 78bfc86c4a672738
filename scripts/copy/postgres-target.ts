import { migrate } from '../../projections/migrate.ts';
import type { CopiedEvent } from '../../services/audit/copy/copied-event.ts';
import type { EventLog } from '../../services/log/log.ts';
import type { LogPlace } from '../../services/log/open.ts';
import { openClient } from '../../services/postgres/connect.ts';
import { openOwnLog } from '../cli/own-log.ts';
import { type CopyPlace, placeOf } from './log-place.ts';

/**
 * A log in a Postgres database, to copy to it. Until it is certain that what it holds is a beginning of what is copied, it is
 * only read, in the tables of whatever version it has; then its tables are brought up to date.
 */
export class PostgresTarget implements CopyPlace {
  readonly #place: LogPlace;
  readonly #databaseUrl: string;
  #log: EventLog | undefined;

  constructor(place: LogPlace, databaseUrl: string) {
    this.#place = place;
    this.#databaseUrl = databaseUrl;
  }

  async *events(): AsyncGenerator<CopiedEvent> {
    if (this.#log === undefined && !(await this.#hasLog())) return;
    yield* placeOf(await this.#open()).events();
  }

  /** @throws what `events` throws, before anything was changed; what `migrate` and the log throw */
  async add(events: AsyncIterable<CopiedEvent>, onStored: (events: number) => void): Promise<void> {
    const coming = events[Symbol.asyncIterator]();
    try {
      const first = await coming.next();
      if (first.done) return;
      const place = await this.#upToDate();
      await place.add(startingWith(first.value, coming), onStored);
    } finally {
      await coming.return?.();
    }
  }

  async installation(): Promise<string | undefined> {
    return (await this.#upToDate()).installation();
  }

  async name(installation: string): Promise<void> {
    await (await this.#upToDate()).name(installation);
  }

  async close(): Promise<void> {
    await this.#log?.close();
    this.#log = undefined;
  }

  async #upToDate(): Promise<CopyPlace> {
    const applied = await migrate(this.#databaseUrl);
    // What it had prepared may be of the older tables.
    if (applied.length > 0) await this.close();
    return placeOf(await this.#open());
  }

  async #open(): Promise<EventLog> {
    this.#log ??= await openOwnLog({ ...this.#place, unnamed: 'taken' });
    return this.#log;
  }

  async #hasLog(): Promise<boolean> {
    const client = await openClient(this.#databaseUrl, {
      name: 'bubble-im copy',
      statementTimeoutMs: 30_000,
    });
    try {
      const { rows } = await client.query<{ there: boolean }>(
        `select to_regclass('log.events') is not null as there`,
      );
      return rows[0]?.there ?? false;
    } finally {
      await client.end();
    }
  }
}

async function* startingWith<Item>(first: Item, rest: AsyncIterator<Item>): AsyncGenerator<Item> {
  yield first;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}
