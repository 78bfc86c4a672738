import type { MisplacedEvent, Position, StreamName } from '../../log/log.ts';
import type { ReadingDatabase } from '../../postgres/database.ts';
import { isNameOfNoType } from './audited-type.ts';

/** How many are named. */
const maxNamed = 100;

/**
 * A hundred audited events whose types are the store's (`isTypeOfStore`), or none (`isNameOfNoType`), in the order of the log. By
 * type and number they lie next to each other in an index, so that this takes the same time however many other events there are.
 * @throws what `pg` throws
 */
export async function eventsOfStoreTypes(database: ReadingDatabase): Promise<MisplacedEvent[]> {
  const { rows } = await database.query<{
    stream: StreamName;
    revision: string | number;
    position: Position;
    type: string;
  }>(
    `select stream, revision, position, type from (
       select * from audit.events where type >= '$' and type < '%' order by type, number limit $1
     ) of_store order by number`,
    [maxNamed],
  );
  return rows.map(({ revision, ...row }) => ({
    ...row,
    revision: String(revision),
    misplacement: isNameOfNoType(row.type) ? 'no type' : 'type of the store',
  }));
}
