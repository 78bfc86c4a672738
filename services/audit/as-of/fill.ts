import type { Client } from 'pg';
import { type DomainEvent, readModelCategories } from '../../../contracts/events/index.ts';
import { firstReplacedMid, Uid } from '../../../contracts/ids.ts';
import { projectionsByType } from '../../../projections/index.ts';
import type { Projection } from '../../../projections/projection.ts';
import { currentSchema } from '../../../projections/rebuild/sets.ts';
import { readModelsVersion } from '../../../projections/rebuild/version.ts';
import { BatchProjector } from '../../../projections/runner/batch.ts';
import { ahead, inBulk, maxBulkReads } from '../../../projections/runner/bulk.ts';
import { writingSession } from '../../../projections/runner/session.ts';
import { users } from '../../../projections/tables.ts';
import { conversationStream } from '../../domain/conversation.ts';
import { inboxStream } from '../../domain/inbox.ts';
import { userStream } from '../../domain/user.ts';
import type { Decoded } from '../../log/codec.ts';
import { type EventLog, startOfLog } from '../../log/log.ts';
import { type DatabaseConfig, openClient } from '../../postgres/connect.ts';
import { AuditSearch, type Coverage, type IndexOfLog } from '../index/search.ts';
import { streamsOfRepeats } from '../index/stored-repeats.ts';
import { allEvents, merged, mergedStreams, singleEvents } from '../merged-streams.ts';
import type { Moment } from '../moment.ts';
import { abortable } from '../readable-log.ts';
import { readChats } from './chats-read.ts';
import { type Cut, cutOf } from './cut.ts';
import { directorySources } from './directory.ts';
import { directoryProjections } from './directory-tables.ts';
import { isTrusted, type Present, PresentUnusable, presentOf, reaches, showsStill } from './present.ts';
import { PresentMessages } from './present-messages.ts';
import { copyPeople } from './present-people.ts';
import { type Directory, type Scope, type ScopeOfPeople, type Sources, sourcesOf } from './scope.ts';
import type { Filled } from './shown.ts';

export interface FillOptions {
  readonly log: EventLog;
  readonly database: DatabaseConfig;
  readonly moment: Moment;
  readonly scope: Scope;
  /** Whether the read models stay for further questions about the moment. */
  readonly keep: boolean;
  /** Whether all is made of the log alone: nothing is taken from the present read models, nor found by the index. */
  readonly fromLog: boolean;
  /** Ends the filling. */
  readonly signal: AbortSignal;
  /** Called before much is read because there is no index of the log, or it is not to be used. @throws what forbids it */
  readonly onNoIndex: (reads: 'all events' | 'all groups') => void;
  /** Called if the present read models lack messages that the log has: these are then taken from the log. */
  readonly onLost?: (() => void) | undefined;
  /** Called with the number of events that were applied. */
  readonly onApplied?: ((events: number) => void) | undefined;
}

/** What connections of the asking are called in the server. */
export const pastSession = 'bubble-im as-of';

/**
 * Fills the tables of a schema with what concerns the scope: a directory from the log alone, but for the groups of an
 * owner, which the index finds; what people see of all events if there is no index or it is not to be used, else of
 * those that concern them. What was said is taken from the present read models if these can be trusted.
 * @param client whose path of schemas becomes the schema
 * @param usePresent whether to take anything from the present read models
 * @returns what they show then
 * @throws PresentUnusable, UnreadableEvent, ProjectionFault, LogFailure, the signal's reason, what the database throws
 */
export async function fillPast(
  options: FillOptions,
  client: Client,
  schema: string,
  usePresent: boolean,
): Promise<Filled> {
  const { fromLog, log, moment, scope, signal, onNoIndex } = options;
  const coverage = fromLog ? undefined : await new AuditSearch(client).coverage(log);
  await client.query("select set_config('search_path', $1, false)", [schema]);
  const filling: Filling = {
    ...{ options, client, schema, reading: abortable(log, signal) },
    projections: projectionsByType(log.remembersIds === 'recently'),
  };
  const index = coverage && { queries: client, coverage };
  if (scope.of !== 'people') return fillDirectory(filling, index, scope);
  if (!index) {
    onNoIndex('all events');
    const events = allEvents(filling.reading, readModelCategories, moment);
    await project(filling, inBulk(events));
    return 'everything';
  }
  const source = usePresent ? await usablePresent(filling, index.coverage) : undefined;
  if (source) {
    await fillBesidePresent(filling, index, scope, source);
    return scope;
  }
  const sources = await sourcesOf(filling.reading, index, scope, moment);
  const { streams, events: read, conversations } = sources;
  const all = [...streams, ...sources.people.map(profileStream), ...conversations.map(conversationStream)];
  await project(filling, inBulk(merged(mergedStreams(filling.reading, all, moment), each(read))));
  return scope;
}

async function fillDirectory(
  filling: Filling,
  index: IndexOfLog | undefined,
  asked: Directory,
): Promise<Directory> {
  const { moment, onNoIndex } = filling.options;
  const onAllGroups = () => onNoIndex('all groups');
  const { shown, events } = await directorySources(filling.reading, index, asked, moment, onAllGroups);
  await project({ ...filling, projections: directoryProjections(filling.projections) }, inBulk(events));
  return shown;
}

interface Filling {
  readonly options: FillOptions;
  readonly client: Client;
  readonly schema: string;
  readonly reading: ReturnType<typeof abortable>;
  readonly projections: ReadonlyMap<string, Projection<DomainEvent>>;
}

/** The present read models, and the last event of the moment, which they show. */
interface Source {
  readonly present: Present;
  readonly cut: Cut;
}

async function usablePresent({ options, client }: Filling, coverage: Coverage) {
  const { log, moment } = options;
  const present = await presentOf(client);
  if (!present || !(await isTrusted(present, { log, version: readModelsVersion }))) return undefined;
  const cut = await cutOf({ log, queries: client }, coverage, moment);
  if (cut === undefined || !(await reaches(present, { log, moment: upTo(moment, cut) }))) return undefined;
  // They show what has the id of another event, and the index does not.
  if ((await streamsOfRepeats(client)).length > 0) return undefined;
  // The index finds a message by the mid that its event has.
  const { rows } = await client.query<{ replaced: boolean }>(
    `select exists (select from ${currentSchema}.messages where mid >= $1) as replaced`,
    [firstReplacedMid],
  );
  return rows[0]?.replaced === false ? { present, cut } : undefined;
}

async function fillBesidePresent(
  filling: Filling,
  index: IndexOfLog,
  scope: ScopeOfPeople,
  { present, cut }: Source,
): Promise<void> {
  const { options, client, schema, reading, projections } = filling;
  const { database, moment } = options;
  const chatsAlone = scope.messages === 'of chats' && !options.keep;
  const then = upTo(moment, cut);
  const opening = openClient(database, writingSession(pastSession, 'pg_temp'));
  try {
    const [queries, chats, sources] = await Promise.all([
      opening,
      readChats(reading, scope.people, then),
      sourcesOf(reading, index, scope, then, { cut, chatsAlone }),
    ]);
    const { people, conversations } = sources;
    const said = new PresentMessages({ queries, projections, conversations, people: scope.people, cut });
    const named = namedBefore(sources, projections);
    const [copied, changed] = await Promise.all([
      copyPeople({ log: reading, queries: client, people, named, cut, schema }),
      said.changes(),
    ]);
    const others = people.filter((uid) => !copied.has(uid)).map(profileStream);
    const inboxes = new Set(scope.people.map(inboxStream));
    const streams = [
      ...sources.streams.filter((stream) => !inboxes.has(stream)),
      ...chats.streams,
      ...others,
    ];
    const replayed = merged(mergedStreams(reading, streams, then), each(sources.events));
    const changes = singleEvents(reading, changed, then);
    const events = said.with(inBulk(merged(replayed, each(chats.events))), inBulk(changes));
    await project({ ...filling, projections: said.projections }, ahead(events));
    await said.copyInto([client, queries], schema, chatsAlone);
    if (!(await showsStill(queries, present))) throw new PresentUnusable('changed');
  } finally {
    await opening.then(
      (queries) => queries.end(),
      () => undefined,
    );
  }
}

/**
 * The people after whom groups are named that nobody named, by the names that they had then. Any of them, if the events
 * of the groups are not in memory.
 */
function namedBefore(
  { events, people, streams }: Sources,
  projections: Filling['projections'],
): readonly Uid[] {
  if (streams.some((stream) => stream.startsWith('group-'))) return people;
  const named = new Set<Uid>();
  for (const event of events) {
    if (event.type !== 'GroupCreated' || event.data.name !== null) continue;
    for (const ref of projections.get(event.type)?.reads(event) ?? []) {
      if (ref.table.name === users.name) named.add(Uid.parse(ref.values[0]));
    }
  }
  return [...named];
}

const profileStream = (uid: Uid) => userStream(uid).name;

async function* each<Element>(elements: readonly Element[]): AsyncGenerator<Element> {
  yield* elements;
}

/** The moment, whose events are told by their positions. */
function upTo(moment: Moment, { position: last }: Cut): Moment {
  return { ...moment, includes: ({ position }) => position <= last };
}

/** Applies batches of events to the tables. */
async function project(
  { options: { database, onApplied }, client, schema, projections }: Filling,
  batches: AsyncIterable<readonly Decoded[]>,
): Promise<void> {
  const reader = await openClient(database, writingSession(pastSession, schema));
  try {
    const projector = new BatchProjector({
      ...{ client, reader, projections, name: schema, maxReads: maxBulkReads, pushes: undefined },
      held: { fence: 1, batch: 0, position: startOfLog, eventId: null, installation: null, epoch: '' },
    });
    for await (const batch of batches) await projector.apply(batch, ({ count }) => onApplied?.(count));
    await projector.finish();
  } finally {
    await reader.end();
  }
}
