import { randomUUID } from 'node:crypto';
import type { DomainEvent } from '../../contracts/events/index.ts';
import {
  type ConversationId,
  friendConversation,
  Gid,
  groupConversation,
  Mid,
  NumberId,
  Uid,
} from '../../contracts/ids.ts';
import { streamName } from '../../services/domain/aggregate.ts';
import { befriend, friendship, friendshipStream } from '../../services/domain/friendship.ts';
import { groupStream } from '../../services/domain/group.ts';
import { createGroup } from '../../services/domain/group-commands.ts';
import { register, userStream } from '../../services/domain/user.ts';
import { encode } from '../../services/log/codec.ts';
import type { EventId, EventLog, NewEvent, StreamName } from '../../services/log/log.ts';

/** How much one person has. */
export interface Household {
  readonly friends: number;
  readonly groups: number;
  /** Messages of the one long conversation, with the first friend. */
  readonly messages: number;
  /** Messages of each other conversation. */
  readonly each: number;
}

/** Whose home it is, and with whom the long conversation is. */
export const person = Uid.parse(1);
export const closeFriend = Uid.parse(2);

const membersOfGroup = 30;
const eventsInAnAppend = 500;
const appendsAtOnce = 8;

/**
 * Writes one person's home to an empty log, as the commands would have: the messages of the long
 * conversation have the mids from 1 on, in order.
 * @returns how many events it took
 */
export async function fill(log: EventLog, household: Household): Promise<number> {
  let count = 0;
  const write = async (streams: Iterable<[StreamName, readonly NewEvent[]]>) => {
    const pending = new Set<Promise<unknown>>();
    for (const [stream, [first, ...others]] of streams) {
      if (!first) continue;
      count += 1 + others.length;
      const append = log.append(stream, 'any', [first, ...others]).finally(() => pending.delete(append));
      pending.add(append);
      if (pending.size >= appendsAtOnce) await Promise.race(pending);
    }
    await Promise.all(pending);
  };
  await write(people(household));
  await write(friendships(household));
  await write(groups(household));
  await write(messages(household));
  return count;
}

const friendsOf = ({ friends }: Household) =>
  Array.from({ length: friends }, (_, index) => Uid.parse(closeFriend + index));

const began = Date.now();

/** An event as the log takes it, caused by nothing but itself. */
export function recorded(event: DomainEvent, time = began): NewEvent {
  const id = randomUUID() as EventId;
  return encode(id, event, { time, actor: 'server', $correlationId: id, $causationId: id });
}

function* people(household: Household): Generator<[StreamName, NewEvent[]]> {
  for (const uid of [person, ...friendsOf(household)]) {
    const names = { username: `person${uid}`, nickname: `Person ${uid}`, avatar: '', sign: '' };
    const numberId = NumberId.parse(100_000 + uid);
    const registered = register(null, { uid, ...names, phone: null, numberId, parent: null });
    yield [userStream(uid).name, registered.map((event) => recorded(event))];
  }
}

function* friendships(household: Household): Generator<[StreamName, NewEvent[]]> {
  for (const friend of friendsOf(household)) {
    const befriended = befriend(friendship.initial(), { by: person, friend });
    yield [friendshipStream(person, friend).name, befriended.map((event) => recorded(event))];
  }
}

/** The groups, each with the person and some of the friends. */
function groupsOf(household: Household): { gid: Gid; members: Uid[] }[] {
  const friends = friendsOf(household);
  return Array.from({ length: household.groups }, (_, index) => {
    const others = new Set<Uid>();
    for (let offset = 0; offset < membersOfGroup - 1; offset++) {
      const friend = friends[(index * 7 + offset) % friends.length];
      if (friend !== undefined) others.add(friend);
    }
    return { gid: Gid.parse(100_000_001 + index), members: [person, ...others] };
  });
}

function* groups(household: Household): Generator<[StreamName, NewEvent[]]> {
  for (const { gid, members } of groupsOf(household)) {
    // Messages have the mids from 1 on; those of the notices are far above them.
    const mid = Mid.parse(10_000_000_000 + gid);
    const created = createGroup(null, { gid, owner: person, members, mid, name: `Group ${gid}` });
    yield [groupStream(gid).name, created.map((event) => recorded(event))];
  }
}

function* messages(household: Household): Generator<[StreamName, NewEvent[]]> {
  let mid = 0;
  function* talk(conversation: ConversationId, parties: readonly Uid[], count: number) {
    const stream = streamName(`conversation-${conversation}`);
    for (let done = 0; done < count; ) {
      const length = Math.min(eventsInAnAppend, count - done);
      const events = Array.from({ length }, (_, index) => {
        const from = parties[(done + index) % parties.length] ?? person;
        const content = `message ${done + index + 1}, as long as what people write as a rule`;
        const data = { conversation, mid: Mid.parse(++mid), from, content };
        // One a second, the last of them now.
        return recorded({ type: 'MessageSent', data }, began - (count - done - index) * 1000);
      });
      done += length;
      yield [stream, events] satisfies [StreamName, NewEvent[]];
    }
  }
  const [close, ...others] = friendsOf(household);
  if (close) yield* talk(friendConversation(person, close), [person, close], household.messages);
  for (const friend of others) {
    yield* talk(friendConversation(person, friend), [person, friend], household.each);
  }
  for (const { gid, members } of groupsOf(household)) {
    yield* talk(groupConversation(gid), members, household.each);
  }
}
