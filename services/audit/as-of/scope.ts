import { concernsOf } from '../../../contracts/events/concerns.ts';
import {
  type ConversationId,
  conversationParties,
  friendConversation,
  Gid,
  groupConversation,
  Uid,
} from '../../../contracts/ids.ts';
import { announcementStream } from '../../domain/announcement.ts';
import { friendshipStream } from '../../domain/friendship.ts';
import { groupStream } from '../../domain/group.ts';
import { inboxStream } from '../../domain/inbox.ts';
import { replyStream } from '../../domain/reply.ts';
import type { Decoded } from '../../log/codec.ts';
import type { StreamName } from '../../log/log.ts';
import { FoldedStream } from '../folded-stream.ts';
import { entryOf } from '../index/entry.ts';
import type { IndexOfLog } from '../index/search.ts';
import { streamsOfRepeats } from '../index/stored-repeats.ts';
import { type Moment, recordsUntil } from '../moment.ts';
import type { ReadableLog } from '../readable-log.ts';
import type { Cut } from './cut.ts';
import { readFirst } from './read-first.ts';

/** What the read models of a moment must show as it was. */
export type Scope = ScopeOfPeople | Directory;

/** What certain people see. */
export interface ScopeOfPeople {
  readonly of: 'people';
  /** With all that they see: their friends, groups, chats and messages. */
  readonly people: readonly Uid[];
  /** Their profiles alone. */
  readonly profiles: readonly Uid[];
  /** Which messages: all, or those alone that a list of chats shows (`chatsLookedUp`). */
  readonly messages: 'all' | 'of chats';
}

/** What the lists for administration show: profiles, and groups with their members, without what was said. */
export type Directory =
  | { readonly of: 'everybody' }
  /** And everybody. */
  | { readonly of: 'every group' }
  | SomeGroups;

/** Some groups, with all who were ever in them. */
export interface SomeGroups {
  readonly of: 'groups';
  readonly gids: readonly Gid[];
  /** All groups that any of these ever owned are shown besides. */
  readonly owners: readonly Uid[];
}

/** Of what read models are made. */
export interface Sources {
  /** All but those of people, of what was said, and of those whose events were read. */
  readonly streams: readonly StreamName[];
  /** Whose names and pictures are shown. */
  readonly people: readonly Uid[];
  /** The events of streams that were read to find the others, in the order of the log. */
  readonly events: readonly Decoded[];
  /** Of which what was said is shown. */
  readonly conversations: readonly ConversationId[];
}

/** The streams that are read to know what concerns someone. */
const prefixes = ['friendship-', 'group-', 'conversation-'];

/**
 * Of what the read models are made, so far as they show what is in a scope: found in the index and, beyond its end, in
 * the log. A stream more than needed changes nothing. What was said in a group is of use if somebody is a member at the
 * moment: nobody else is shown it.
 * @param cut the moment's last event, if the index is known to have it
 * @param chatsAlone whether groups are left out of which nobody is a member at the moment, nor ever was invited to
 * @throws UnreadableEvent, LogFailure, what the database throws
 */
export async function sourcesOf(
  log: ReadableLog,
  index: IndexOfLog,
  { people, profiles }: ScopeOfPeople,
  moment: Moment,
  { cut, chatsAlone = false }: { readonly cut?: Cut; readonly chatsAlone?: boolean } = {},
): Promise<Sources> {
  const found = new FoundStreams(people);
  const { rows } = await index.queries.query<{ stream: StreamName }>(
    `select distinct e.stream from audit.people p join audit.events e using (number)
      where p.uid = any($1) and p.number <= $2`,
    [people, cut?.number ?? Number.MAX_SAFE_INTEGER],
  );
  for (const { stream } of rows) found.add(stream);
  // The other streams are named after all whom their events are about.
  for (const stream of await streamsOfRepeats(index.queries))
    if (stream.startsWith('group-')) found.add(stream);
  if (cut === undefined) {
    const beyond = log.readAll({ after: index.coverage.checkpoint, prefixes });
    for await (const record of recordsUntil(beyond, moment)) {
      const entry = entryOf(record);
      if (people.some((uid) => entry.people.includes(uid))) found.add(record.stream);
    }
  }
  // The index finds events by people, and not the people of events.
  const groups = new Map(
    [...found.groups].map((gid) => {
      const group = new FoldedStream(groupStream(gid), log.remembersIds);
      return [group.name, { gid, group, people: new Set<Uid>(), invited: false }];
    }),
  );
  const read = await readFirst(log, [...groups.keys()], moment, (event) => {
    const concerned = concernsOf(event).people;
    const group = groups.get(event.stream);
    group?.group.apply(event);
    for (const uid of concerned) group?.people.add(uid);
    if (group && event.type === 'MembersInvited')
      group.invited ||= people.some((uid) => concerned.includes(uid));
  });
  for (const [stream, { gid, group, people: concerned, invited }] of groups) {
    const member = people.some((uid) => group.state?.members.has(uid));
    if (chatsAlone && !member && !invited) {
      groups.delete(stream);
      continue;
    }
    for (const uid of concerned) found.people.add(uid);
    if (member) found.addTalk(gid);
  }
  for (const uid of profiles) found.people.add(uid);
  const isShown = (stream: StreamName) => groups.has(stream);
  return {
    ...found.sources(read.streams.filter(isShown)),
    events: read.events.filter(({ stream }) => isShown(stream)),
  };
}

/** Gathers streams, with those that belong to them. */
class FoundStreams {
  /** All whose names and pictures are shown. */
  readonly people: Set<Uid>;
  readonly groups = new Set<Gid>();
  /** Announcements are everybody's: few are made, so that kept read models have them whatever was asked first. */
  readonly #streams = new Set<StreamName>([announcementStream.name]);
  readonly #conversations = new Set<ConversationId>();

  constructor(people: readonly Uid[]) {
    this.people = new Set(people);
    for (const uid of people) {
      this.#streams.add(inboxStream(uid));
      this.#streams.add(replyStream(uid).name);
    }
  }

  add(stream: StreamName): void {
    const [category, ...ids] = stream.split('-');
    const [one, other] = ids.map(Number);
    if (category === 'group') this.groups.add(Gid.parse(one));
    else if (category === 'friendship') this.#pair(Uid.parse(one), Uid.parse(other));
    else if (category === 'conversation') this.#conversation(ids.join('-') as ConversationId);
  }

  /** Adds what was said in a group. */
  addTalk(gid: Gid): void {
    this.#conversations.add(groupConversation(gid));
  }

  /** @param groups the streams of groups that are to be read */
  sources(groups: readonly StreamName[]): Omit<Sources, 'events'> {
    const streams = [...this.#streams, ...groups];
    return { streams, people: [...this.people], conversations: [...this.#conversations] };
  }

  #conversation(conversation: ConversationId): void {
    const parties = conversationParties(conversation);
    if (parties.type === 'group') this.groups.add(parties.gid);
    else this.#pair(...parties.uids);
  }

  #pair(one: Uid, other: Uid): void {
    this.#streams.add(friendshipStream(one, other).name);
    this.#conversations.add(friendConversation(one, other));
    this.people.add(one).add(other);
  }
}
