import { z } from 'zod';
import type { ReadingDatabase } from '../../postgres/database.ts';

/** How long the last event of a cache channel is kept, as at Pusher. */
const keptMinutes = 30;

/** Each write deletes up to this number of expired events, usually more than it adds: so the table shrinks. */
const maxExpiredPerWrite = 10;

/** A triggered event; `data` is JSON as text. */
export interface LastEvent {
  readonly event: string;
  readonly data: string;
  /** Greater for a later event of the channel, compared as text. */
  readonly version: string;
}

/** SQL: a version as text of a fixed width. */
const versionText = (column: string) => `lpad(${column}::text, 19, '0')`;

/** Whether a channel is a cache channel: a new subscriber gets its last event first. */
export function isCacheChannel(name: string): boolean {
  return /^(private-|private-encrypted-|presence-)?cache-/.test(name);
}

/**
 * The last event that a backend triggered on each cache channel (docs/realtime.md, "Cache channels"). It is kept in
 * the database and not in memory, so that every gateway knows it, also one that has just started.
 */
export class LastEvents {
  readonly #database: ReadingDatabase;

  constructor(database: ReadingDatabase) {
    this.#database = database;
  }

  /**
   * Stores an event as the last one of those of the channels that are cache channels.
   * @returns its version on each cache channel
   * @throws what the database throws
   */
  async keep(
    channels: readonly string[],
    { event, data }: Omit<LastEvent, 'version'>,
  ): Promise<ReadonlyMap<string, string>> {
    const names = [...new Set(channels.filter(isCacheChannel))].sort();
    if (names.length === 0) return new Map();
    const { rows } = await this.#database.query<{ channel: string; version: string }>(
      `with expired as (
         delete from presence.last_events where channel in (
           select channel from presence.last_events
            where expires < now() and channel <> all($1)
            order by expires limit ${maxExpiredPerWrite} for update skip locked)),
       given as materialized (
         select name as channel, nextval('presence.event_versions') as version from unnest($1::text[]) as name),
       kept as (
         insert into presence.last_events as last (channel, event, data, version, expires)
         select channel, $2, $3, version, now() + interval '${keptMinutes} minutes' from given
         on conflict (channel) do update
           set event = excluded.event, data = excluded.data, version = excluded.version, expires = excluded.expires
           where excluded.version > last.version)
       select channel, ${versionText('version')} as version from given`,
      // As JSON, since an event's name may contain NUL, which Postgres cannot store in a text.
      [names, JSON.stringify(event), data],
    );
    return new Map(rows.map(({ channel, version }) => [channel, version]));
  }

  /** The channel's last event; undefined if there is none, or it has expired. @throws what the database throws. */
  async of(channel: string): Promise<LastEvent | undefined> {
    const { rows } = await this.#database.query<LastEvent>(
      `select event, data, ${versionText('version')} as version
         from presence.last_events where channel = $1 and expires > now()`,
      [channel],
    );
    const [row] = rows;
    return row && { ...row, event: z.string().parse(JSON.parse(row.event)) };
  }
}
