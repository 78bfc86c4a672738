import { Refusal } from '../../contracts/codes.ts';
import type { DomainEvent } from '../../contracts/events/index.ts';
import type { AggregateStream } from '../domain/aggregate.ts';
import { encode } from '../log/codec.ts';
import {
  type EventId,
  type EventLog,
  type NewEvent,
  type Position,
  type StreamName,
  startOfLog,
} from '../log/log.ts';
import { timeOrderedId } from '../time-ordered-id.ts';
import type { AggregateStore } from './aggregate-store.ts';
import type { CommandContext } from './context.ts';

/**
 * How long a command is decided again after conflicts with other processes. A number of attempts would be
 * unfair: a process that has to read the stream again loses to one that has not, time after time.
 */
const conflictTimeoutMs = 5_000;

/** The result of a command: its events (none if nothing had to change), and the position that includes them. */
export interface Executed<Event> {
  readonly events: readonly Event[];
  readonly position: Position;
}

/** A new event id, ordered by time, so that inserts touch few pages of an index. */
export function newEventId(): EventId {
  return timeOrderedId() as EventId;
}

/** Narrows a list to one with at least one item. */
export function atLeastOne<Item>(items: readonly Item[]): readonly [Item, ...Item[]] {
  const [first, ...rest] = items;
  if (first === undefined) throw new TypeError('nothing to append');
  return [first, ...rest];
}

/** The metadata of an event of a command. By default its cause is that of the command. */
export function metadataOf(
  context: CommandContext,
  causationId: string = context.causationId ?? context.correlationId,
) {
  const { actor, origin, correlationId, time } = context;
  return { time, actor, ...origin, $correlationId: correlationId, $causationId: causationId };
}

interface Parts {
  readonly log: EventLog;
  readonly store: AggregateStore;
}

/**
 * Decides on a stream's present state and appends the events, expecting that state; after a conflict with another
 * process it decides again. The commands of this process on one stream run one after the other (see Turns), since
 * only one of several at once could be appended.
 * @throws what `decide` throws; Refusal notReady after 5 s of waiting for its turn, or of conflicts; LogFailure
 */
export function execute<State, Event extends DomainEvent>(
  parts: Parts,
  stream: AggregateStream<State, Event>,
  context: CommandContext,
  decide: (state: State) => readonly Event[],
): Promise<Executed<Event>> {
  return parts.store.turns.run(stream.name, context.actor, () =>
    decideAndAppend(parts, stream, context, decide),
  );
}

/**
 * Calls `attempt` until it returns something other than undefined, which means a conflict in `stream`.
 * @throws Refusal notReady, with a cause that names the stream, after 5 s of conflicts; what `attempt` throws
 */
export async function untilDecided<Result>(
  stream: StreamName,
  attempt: () => Promise<Result | undefined>,
): Promise<Result> {
  const began = performance.now();
  do {
    const result = await attempt();
    if (result !== undefined) return result;
  } while (performance.now() - began < conflictTimeoutMs);
  const cause = new Error(
    `for ${conflictTimeoutMs / 1000} s every append to ${stream} had a conflict: other processes append to it all the time, ` +
      'or a read of it does not give its last event',
  );
  throw new Refusal('notReady', '服务繁忙,请稍后再试', { cause });
}

async function decideAndAppend<State, Event extends DomainEvent>(
  { log, store }: Parts,
  stream: AggregateStream<State, Event>,
  context: CommandContext,
  decide: (state: State) => readonly Event[],
): Promise<Executed<Event>> {
  return untilDecided(stream.name, async () => {
    const { state, revision, position } = await store.load(stream);
    const events = decide(state);
    if (events.length === 0) return { events, position };
    const encoded: NewEvent[] = events.map((event) => encode(newEventId(), event, metadataOf(context)));
    const expected = revision < 0 ? 'none' : revision;
    const result = await log.append(stream.name, expected, atLeastOne(encoded), context.generation);
    if (result.outcome !== 'conflict') {
      const ids = encoded.map(({ id }) => id);
      const last = { revision: revision + events.length, position: result.position };
      store.appended(stream.name, events, ids, last, context.time);
      return { events, position: result.position };
    }
    await store.catchUp(stream.name, revision);
    return undefined;
  });
}

/**
 * Appends events that do not depend on the state of their stream; none is allowed.
 * @returns the position of the last one; the start of the log if there are none
 * @throws LogFailure
 */
export async function appendAny(
  log: EventLog,
  stream: StreamName,
  events: readonly DomainEvent[],
  context: CommandContext,
): Promise<Position> {
  if (events.length === 0) return startOfLog;
  const encoded = events.map((event) => encode(newEventId(), event, metadataOf(context)));
  const result = await log.append(stream, 'any', atLeastOne(encoded), context.generation);
  if (result.outcome === 'conflict')
    throw new TypeError(`an append to ${stream} at any revision had a conflict`);
  return result.position;
}
