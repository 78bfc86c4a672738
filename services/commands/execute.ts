import { uuidv7 } from 'uuidv7';
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
import type { AggregateStore } from './aggregate-store.ts';
import type { CommandContext } from './context.ts';

/**
 * For so many milliseconds a command is decided anew where other processes write the same stream. Not so
 * many times: who has to read the stream again loses to who has not, again and again while those go on.
 */
const patience = 5_000;

/** What came of a command: its events (none: it already was so), and the position that shows it. */
export interface Executed<Event> {
  readonly events: readonly Event[];
  readonly position: Position;
}

/** A new event id, ordered by time, which keeps indexes warm. */
export function newEventId(): EventId {
  return uuidv7() as EventId;
}

/** Narrows a list to what the log takes: at least one. */
export function atLeastOne<Item>(items: readonly Item[]): readonly [Item, ...Item[]] {
  const [first, ...rest] = items;
  if (first === undefined) throw new TypeError('nothing to append');
  return [first, ...rest];
}

/** The metadata of an event that `context` causes; by itself its cause is the request. */
export function metadataOf(context: CommandContext, causationId: string = context.correlationId) {
  const { actor, correlationId, time } = context;
  return { time, actor, $correlationId: correlationId, $causationId: causationId };
}

/** What is needed to execute commands. */
interface Parts {
  readonly log: EventLog;
  readonly store: AggregateStore;
}

/**
 * Decides on a stream's present state and appends what was decided, expecting that state; where
 * others were faster, it decides anew. The commands of one process on one stream take turns, fair to each
 * who asks and the server's key first: of those that ran at once only one a round could be appended.
 * @throws what `decide` throws; Refusal notReady after too long a wait, for its turn or over conflicts; LogFailure
 */
export function execute<State, Event extends DomainEvent>(
  parts: Parts,
  stream: AggregateStream<State, Event>,
  context: CommandContext,
  decide: (state: State) => readonly Event[],
): Promise<Executed<Event>> {
  return parts.store.turns.take(stream.name, context.actor, () =>
    decideAndAppend(parts, stream, context, decide),
  );
}

/**
 * Tries anew while others are faster, which `attempt` tells by undefined.
 * @throws Refusal notReady when that has gone on for too long; what `attempt` throws
 */
export async function untilDecided<Result>(attempt: () => Promise<Result | undefined>): Promise<Result> {
  const began = performance.now();
  do {
    const result = await attempt();
    if (result !== undefined) return result;
  } while (performance.now() - began < patience);
  throw new Refusal('notReady', '服务繁忙,请稍后再试');
}

async function decideAndAppend<State, Event extends DomainEvent>(
  { log, store }: Parts,
  stream: AggregateStream<State, Event>,
  context: CommandContext,
  decide: (state: State) => readonly Event[],
): Promise<Executed<Event>> {
  return untilDecided(async () => {
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
 * Appends events that depend on nothing else in their stream, or nothing where there are none.
 * @returns the position that shows them; the log's beginning where there are none
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
    throw new TypeError(`an append to ${stream} that expects nothing conflicted`);
  return result.position;
}
