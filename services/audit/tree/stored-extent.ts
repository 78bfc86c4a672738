import type { ReadingDatabase } from '../../postgres/database.ts';
import { auditorName } from '../index/audit-task.ts';
import { hashBytes } from './hashes.ts';
import { tileWidth } from './tiles.ts';

/** How far the stored tree reaches, and the index that it is made together with. */
export interface StoredExtent {
  /** How many events it is of. */
  readonly events: number;
  /** The position of the last of them in the log. */
  readonly checkpoint: string;
  /** Why its rows cannot be those that the auditor wrote; undefined if they can. */
  readonly fault: string | undefined;
}

interface Row {
  readonly events: string;
  readonly digests: string;
  readonly bytes: string;
  readonly tiles: string;
  readonly checkpoint: string | null;
}

/** A tree of this number of levels has more events than any log. */
const maxLevel = 6;

/** Tiles of more events than there are digests. */
const surplusTiles = `
  select count(*) from audit.tiles
    where case when index < 0 or level not between 0 and ${maxLevel} then true
      else (index + 1) * ${tileWidth}::numeric ^ (level + 1) > (select digests from size) end`;

/** Reads it, as of one moment. @throws what `pg` throws */
export async function storedExtent(database: ReadingDatabase): Promise<StoredExtent> {
  const { rows } = await database.query<Row>(
    `with size as (
       select coalesce(max(first + length(digests) / ${hashBytes}), 0) as digests from (
         select first, digests from audit.digests order by first desc limit 1
       ) last
     )
     select digests, (select coalesce(max(number) + 1, 0) from audit.events) as events,
       (select coalesce(sum(length(digests)), 0) from audit.digests) as bytes, (${surplusTiles}) as tiles,
       (select position from followers.checkpoint where name = $1) as checkpoint
     from size`,
    [auditorName],
  );
  const [row] = rows;
  if (!row) throw new TypeError('a query for one row gave none');
  return { events: Number(row.events), checkpoint: row.checkpoint ?? '', fault: faultOf(row) };
}

function faultOf({ events, digests, bytes, tiles }: Row): string | undefined {
  if (events !== digests) return `it is of ${digests} events, and the index of ${events}`;
  if (Number(bytes) !== Number(digests) * hashBytes)
    return 'digests of some events are missing, or are there twice';
  if (Number(tiles) > 0) return 'it has hashes of events that are not there';
  return undefined;
}
