import type { MisplacedEvent, Position, StreamName } from '../../log/log.ts';
import type { ReadingDatabase } from '../../postgres/database.ts';
import { isNameOfNoType } from './audited-type.ts';

/** How many are named. */
const maxNamed = 100;

/**
 * The first hundred audited events whose types are the store's (`isTypeOfStore`), or none (`isNoType`). The index is asked once for each type
 * that there is, so that it takes the same time however many events there are. @throws what `pg` throws
 */
export async function eventsOfStoreTypes(database: ReadingDatabase): Promise<MisplacedEvent[]> {
  const { rows } = await database.query<{
    stream: StreamName;
    revision: string | number;
    position: Position;
    type: string;
  }>(
    `with recursive types (type) as (
       (select type from audit.events order by type limit 1)
       union all
       select (select next.type from audit.events next where next.type > types.type order by next.type limit 1)
         from types where types.type is not null
     )
     select events.stream, events.revision, events.position, events.type
       from types join audit.events events on events.type = types.type
      where starts_with(types.type, '$') order by events.number limit $1`,
    [maxNamed],
  );
  return rows.map(({ revision, ...row }) => ({
    ...row,
    revision: String(revision),
    misplacement: isNameOfNoType(row.type) ? 'no type' : 'type of the store',
  }));
}
