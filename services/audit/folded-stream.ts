import type { DomainEvent } from '../../contracts/events/index.ts';
import { StreamFold } from '../commands/folded.ts';
import type { AggregateStream } from '../domain/aggregate.ts';
import type { Decoded } from '../log/codec.ts';
import type { EventLog, StreamName } from '../log/log.ts';
import { mergedStreams } from './merged-streams.ts';
import type { Moment } from './moment.ts';
import type { ReadableLog } from './readable-log.ts';

/** A stream that is folded event by event, as the commands fold it. */
export class FoldedStream<State, Event extends DomainEvent = DomainEvent> {
  readonly name: StreamName;
  readonly #folded: StreamFold<State, Event>;

  constructor({ name, aggregate }: AggregateStream<State, Event>, remembersIds: EventLog['remembersIds']) {
    this.name = name;
    this.#folded = new StreamFold(aggregate, remembersIds);
  }

  get state(): State {
    return this.#folded.state;
  }

  /** Folds an event, if it is of this stream. */
  apply(event: Decoded): void {
    if (event.stream === this.name) this.#folded.fold(event);
  }
}

/** The state of a stream at a moment. @throws UnreadableEvent, LogFailure */
export async function foldAt<State, Event extends DomainEvent>(
  log: ReadableLog,
  stream: AggregateStream<State, Event>,
  moment: Moment,
): Promise<State> {
  const folded = new FoldedStream(stream, log.remembersIds);
  for await (const event of mergedStreams(log, [stream.name], moment)) folded.apply(event);
  return folded.state;
}
