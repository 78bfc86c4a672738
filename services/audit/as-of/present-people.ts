import type { Uid } from '../../../contracts/ids.ts';
import { currentSchema } from '../../../projections/rebuild/sets.ts';
import { users } from '../../../projections/tables.ts';
import { userStream } from '../../domain/user.ts';
import type { EventLog, Position, StreamName } from '../../log/log.ts';
import type { Queries } from '../index/search.ts';
import type { Cut } from './cut.ts';

/** How many events that the index does not have yet are looked through. */
const maxBehindIndex = 10_000;

interface Copied {
  readonly uid: Uid;
  /** Up to which event the rows show the log. */
  readonly shown: Position;
  /** Up to which event the index has it. */
  readonly indexed: Position;
}

export interface CopyPeopleOptions {
  readonly log: Pick<EventLog, 'readAll'>;
  /** What runs queries: the index of the log, the present read models and the schema are in its database. */
  readonly queries: Queries;
  readonly people: readonly Uid[];
  /** Of these the names that they had before the moment are needed too. */
  readonly named: readonly Uid[];
  readonly cut: Cut;
  /** Where the rows are copied to. */
  readonly schema: string;
}

/**
 * Copies the rows of people about whom nothing changed since the moment from the present read models; of those whose
 * earlier names are needed, if nothing ever changed. Most people of a group of thousands have such a row.
 * @returns the people whose rows were copied
 * @throws LogFailure, what the database throws
 */
export async function copyPeople(options: CopyPeopleOptions): Promise<ReadonlySet<Uid>> {
  const { queries, people, named, cut, schema } = options;
  const { rows } = await queries.query<Copied>(copying(schema), [people, cut.number, named]);
  const [first] = rows;
  if (first === undefined) return new Set();
  const copied = rows.map(({ uid }) => Number(uid) as Uid);
  const changed = await changedBehindIndex(options, first);
  const wrong = copied.filter((uid) => changed === 'too many' || changed.has(userStream(uid).name));
  if (wrong.length > 0) await queries.query(`delete from ${schema}.users where uid = any($1)`, [wrong]);
  return new Set(copied).difference(new Set(wrong));
}

/** The streams of people that have events which the rows show, and the index lacks. */
async function changedBehindIndex(
  { log }: CopyPeopleOptions,
  { shown, indexed: after }: Copied,
): Promise<ReadonlySet<StreamName> | 'too many'> {
  const changed = new Set<StreamName>();
  let count = 0;
  for await (const { position, stream } of log.readAll({
    after,
    prefixes: ['user-'],
    limit: maxBehindIndex,
  })) {
    if (position > shown) return changed;
    changed.add(stream);
    count++;
  }
  return count < maxBehindIndex ? changed : 'too many';
}

/**
 * Copies the rows of some people ($1) who have no event behind the last one of a moment, by its number ($2), and of these of
 * whom all names are needed ($3) one event alone. What deletes an account changes other rows too.
 */
function copying(schema: string): string {
  const columns = [...users.columns.keys()].map((column) => `"${column}"`);
  // One statement, so that it sees rows, index and checkpoints of one instant.
  return `
    insert into ${schema}.users (${columns.join(', ')})
    select ${columns.map((column) => `u.${column}`).join(', ')}
      from unnest($1::bigint[]) as given (uid)
      join ${currentSchema}.users u using (uid)
      cross join lateral (
        select number from audit.events where stream = 'user-' || given.uid order by number limit 1) first
      cross join lateral (
        select number from audit.events where stream = 'user-' || given.uid order by number desc limit 1) last
     where first.number <= $2 and last.number <= $2 and u.account_state <> 'deleted'
       and (first.number = last.number or given.uid <> all($3::bigint[]))
    returning uid, ${checkpointOf('read')} as shown, ${checkpointOf('audit')} as indexed`;
}

const checkpointOf = (follower: string) =>
  `(select position from followers.checkpoint where name = '${follower}')`;
