import type { EventLog, EventPlace, RecordedEvent } from '../../log/log.ts';
import type { ReadingDatabase } from '../../postgres/database.ts';
import { int8s, type Statement, texts } from '../../postgres/pipeline.ts';
import { UnreadEvents } from './unread-events.ts';
import type { UnreadEvent } from './unread-text.ts';

/*
 * audit.unread: the events that the auditor has met whose texts hold what reading them leaves out. It is written in the
 * transactions that extend the tree.
 */

/** How many are named. */
const maxNamed = 100;

/** Adds events. */
export function insertUnread(
  found: readonly Pick<RecordedEvent, 'position' | 'revision' | 'stream'>[],
): Statement {
  return {
    name: 'audit unread',
    text: `insert into audit.unread (position, stream, revision)
      select * from unnest($1::text[], $2::text[], $3::bigint[]) on conflict (position) do nothing`,
    values: [
      texts(found.map(({ position }) => position)),
      texts(found.map(({ stream }) => stream)),
      int8s(found.map(({ revision }) => revision)),
    ],
  };
}

/**
 * The first hundred of them whose texts still are so: they may have been written anew since.
 * @throws LogFailure; what `pg` throws
 */
export async function storedUnread(
  database: ReadingDatabase,
  log: Pick<EventLog, 'readEvents'>,
): Promise<readonly UnreadEvent[]> {
  const { rows } = await database.query<EventPlace & { readonly revision: string | number }>(
    'select stream, revision from audit.unread order by position limit $1',
    [maxNamed],
  );
  if (rows.length === 0) return [];
  const places = rows.map(({ stream, revision }) => ({ stream, revision: Number(revision) }));
  const unread = new UnreadEvents();
  for await (const record of log.readEvents(places)) unread.note(record);
  return unread.named;
}
