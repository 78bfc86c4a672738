import { concernsOf } from '../../../contracts/events/concerns.ts';
import { Gid, type Uid } from '../../../contracts/ids.ts';
import { announcementStream } from '../../domain/announcement.ts';
import { groupStream } from '../../domain/group.ts';
import { userStream } from '../../domain/user.ts';
import type { Decoded } from '../../log/codec.ts';
import type { StreamName } from '../../log/log.ts';
import { entryOf } from '../index/entry.ts';
import type { IndexOfLog } from '../index/search.ts';
import { streamsOfRepeats } from '../index/stored-repeats.ts';
import { allEvents, merged, mergedStreams } from '../merged-streams.ts';
import { type Moment, recordsUntil } from '../moment.ts';
import type { ReadableLog } from '../readable-log.ts';
import { readFirst } from './read-first.ts';
import type { Directory, SomeGroups } from './scope.ts';

/** Announcements are few, so that what is kept answers which there were, whatever was asked first. */
const categoriesOfPeople = ['user-', announcementStream.name];
const categoriesOfGroups = [...categoriesOfPeople, 'group-'];

/** The events that give somebody a group. */
const givingGroups = ['GroupCreated', 'GroupTransferred'];

/** Of what a directory is made. */
export interface DirectorySources {
  /** What it shows: more than was asked for, if what was asked for cannot be found. */
  readonly shown: Directory;
  /** In the order of the log. */
  readonly events: AsyncIterable<Decoded>;
}

/**
 * The events that a directory is made of, up to a moment. Certain groups are read by their streams, those of an owner are
 * found in the index; for everybody all events of people, and for every group those of groups too.
 * @param index undefined: there is none, or it is not to be used
 * @param onAllGroups called before every group is read for want of an index. @throws what forbids it
 * @throws UnreadableEvent, LogFailure, what the database throws
 */
export async function directorySources(
  log: ReadableLog,
  index: IndexOfLog | undefined,
  directory: Directory,
  moment: Moment,
  onAllGroups: () => void,
): Promise<DirectorySources> {
  if (directory.of === 'groups') {
    if (index || directory.owners.length === 0) {
      const gids = new Set([
        ...directory.gids,
        ...(index ? await ownedBy(log, index, directory, moment) : []),
      ]);
      return { shown: directory, events: await eventsOfGroups(log, gids, moment) };
    }
    onAllGroups();
  }
  if (directory.of === 'everybody') {
    return { shown: directory, events: allEvents(log, categoriesOfPeople, moment) };
  }
  return { shown: { of: 'every group' }, events: allEvents(log, categoriesOfGroups, moment) };
}

/** The groups that some people ever owned: found in the index and, beyond its end, in the log. */
async function ownedBy(
  log: ReadableLog,
  { queries, coverage }: IndexOfLog,
  { owners }: SomeGroups,
  moment: Moment,
): Promise<Set<Gid>> {
  if (owners.length === 0) return new Set();
  const { rows } = await queries.query<{ stream: StreamName }>(
    `select distinct e.stream from audit.people p join audit.events e using (number)
      where p.uid = any($1) and e.type = any($2)`,
    [owners, givingGroups],
  );
  const repeats = (await streamsOfRepeats(queries)).filter((stream) => stream.startsWith('group-'));
  const found = new Set([...rows.map(({ stream }) => stream), ...repeats].map(gidOf));
  const beyond = log.readAll({ after: coverage.checkpoint, prefixes: ['group-'] });
  for await (const record of recordsUntil(beyond, moment)) {
    const { people } = entryOf(record);
    if (owners.some((uid) => people.includes(uid))) found.add(gidOf(record.stream));
  }
  return found;
}

/** The events of some groups, and of all whom these ever concerned. */
async function eventsOfGroups(
  log: ReadableLog,
  gids: Iterable<Gid>,
  moment: Moment,
): Promise<AsyncIterable<Decoded>> {
  const people = new Set<Uid>();
  const groups = Array.from(gids, (gid) => groupStream(gid).name);
  const read = await readFirst(log, groups, moment, (event) => {
    for (const uid of concernsOf(event).people) people.add(uid);
  });
  const profiles = Array.from(people, (uid) => userStream(uid).name);
  const streams = [announcementStream.name, ...profiles, ...read.streams];
  return merged(mergedStreams(log, streams, moment), each(read.events));
}

function gidOf(stream: StreamName): Gid {
  return Gid.parse(Number(stream.slice('group-'.length)));
}

async function* each<Element>(elements: readonly Element[]): AsyncGenerator<Element> {
  yield* elements;
}
