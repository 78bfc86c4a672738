import type { DomainEvent } from '../../contracts/events/index.ts';
import { type Folded, fold } from '../commands/folded.ts';
import type { Aggregate, AggregateStream } from '../domain/aggregate.ts';
import type { Decoded } from '../log/codec.ts';
import { type EventLog, type StreamName, startOfLog } from '../log/log.ts';
import { mergedStreams } from './merged-streams.ts';
import type { Moment } from './moment.ts';
import type { ReadableLog } from './readable-log.ts';

/** A stream that is folded event by event, as the commands fold it. */
export class FoldedStream<State, Event extends DomainEvent = DomainEvent> {
  readonly name: StreamName;
  readonly #folded: Folded;

  constructor({ aggregate, name }: AggregateStream<State, Event>, remembersIds: EventLog['remembersIds']) {
    this.name = name;
    this.#folded = {
      // Only events of this stream come to it, which are the aggregate's.
      aggregate: aggregate as unknown as Aggregate<unknown>,
      state: aggregate.initial(),
      revision: -1,
      position: startOfLog,
      lastId: undefined,
      snapshotRevision: -1,
      skipped: 0,
      seen: remembersIds === 'forever' ? null : new Set(),
    };
  }

  get state(): State {
    // It was made by the aggregate of this state.
    return this.#folded.state as State;
  }

  /** Folds an event, if it is of this stream. */
  take(event: Decoded): void {
    if (event.stream === this.name) fold(this.#folded, event);
  }
}

/** The state of a stream at a moment. @throws UnreadableEvent, LogFailure */
export async function foldAt<State, Event extends DomainEvent>(
  log: ReadableLog,
  stream: AggregateStream<State, Event>,
  moment: Moment,
): Promise<State> {
  const folded = new FoldedStream(stream, log.remembersIds);
  for await (const event of mergedStreams(log, [stream.name], moment)) folded.take(event);
  return folded.state;
}
