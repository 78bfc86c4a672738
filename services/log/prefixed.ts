import type { LogIdentity } from './identity.ts';
import type {
  AppendResult,
  EventId,
  EventLog,
  EventPlace,
  ExpectedRevision,
  HiddenStream,
  MisplacedEvent,
  MisplacedEventsOptions,
  NewEvent,
  Position,
  ReadAllOptions,
  ReadStreamOptions,
  ReadStreamsOptions,
  RecordedEvent,
  StreamName,
  SubscribeOptions,
} from './log.ts';

/** One installation's streams in a store that it shares with others: their names there begin with its prefix. */
class PrefixedLog implements EventLog {
  readonly #log: EventLog;
  readonly #prefix: string;

  constructor(log: EventLog, prefix: string) {
    this.#log = log;
    this.#prefix = prefix;
  }

  get remembersIds() {
    return this.#log.remembersIds;
  }

  get recordedAscends() {
    return this.#log.recordedAscends;
  }

  get generation(): number {
    return this.#log.generation;
  }

  append(
    stream: StreamName,
    expected: ExpectedRevision,
    events: readonly [NewEvent, ...NewEvent[]],
    generation?: number,
  ): Promise<AppendResult> {
    return this.#log.append(this.#storedName(stream), expected, events, generation);
  }

  async *readStream(stream: StreamName, options?: ReadStreamOptions): AsyncIterable<RecordedEvent> {
    for await (const record of this.#log.readStream(this.#storedName(stream), options))
      yield this.#withoutPrefix(record);
  }

  async *readStreams(
    streams: readonly StreamName[],
    options?: ReadStreamsOptions,
  ): AsyncIterable<RecordedEvent> {
    const names = streams.map((stream) => this.#storedName(stream));
    for await (const record of this.#log.readStreams(names, options)) yield this.#withoutPrefix(record);
  }

  async *readEvents(places: readonly EventPlace[]): AsyncIterable<RecordedEvent> {
    const stored = places.map(({ stream, revision }) => ({ stream: this.#storedName(stream), revision }));
    for await (const record of this.#log.readEvents(stored)) yield this.#withoutPrefix(record);
  }

  async *readAll(options: ReadAllOptions = {}): AsyncIterable<RecordedEvent> {
    const prefixes = this.#storedPrefixes(options.prefixes);
    for await (const record of this.#log.readAll({ ...options, prefixes })) yield this.#withoutPrefix(record);
  }

  async *hiddenStreams(prefixes: readonly string[], after?: Position): AsyncIterable<HiddenStream> {
    const stored = this.#storedPrefixes(prefixes);
    for await (const { stream, readableFrom } of this.#log.hiddenStreams(stored, after))
      yield { stream: this.#ownName(stream), readableFrom };
  }

  /** All of them: which installation one is of may not be known. */
  misplacedEvents(options?: MisplacedEventsOptions): AsyncIterable<MisplacedEvent> {
    return this.#log.misplacedEvents(options);
  }

  subscribe(options: SubscribeOptions): AsyncIterable<readonly RecordedEvent[]> {
    const batches = this.#log.subscribe({ ...options, prefixes: this.#storedPrefixes(options.prefixes) });
    return {
      [Symbol.asyncIterator]: () => {
        const iterator = batches[Symbol.asyncIterator]();
        return {
          next: async () => {
            const { done, value } = await iterator.next();
            if (done) return { done, value: undefined };
            return { done: false, value: value.map((record) => this.#withoutPrefix(record)) };
          },
          return: async () => {
            await iterator.return?.();
            return { done: true, value: undefined };
          },
        };
      },
    };
  }

  /** Undefined for events of streams without the prefix. */
  async at(position: Position): Promise<RecordedEvent | undefined> {
    const record = await this.#log.at(position);
    return record?.stream.startsWith(this.#prefix) ? this.#withoutPrefix(record) : undefined;
  }

  end(prefixes?: readonly string[]): Promise<Position> {
    return this.#log.end(this.#storedPrefixes(prefixes));
  }

  extent(after: Position, upTo: Position): number {
    return this.#log.extent(after, upTo);
  }

  onChanged(listener: () => void): () => void {
    return this.#log.onChanged(listener);
  }

  identity(): Promise<LogIdentity | undefined> {
    return this.#log.identity();
  }

  found(identity: LogIdentity): Promise<LogIdentity> {
    return this.#log.found(identity);
  }

  beginEpoch(old: string): Promise<LogIdentity> {
    return this.#log.beginEpoch(old);
  }

  idAt(position: Position): Promise<EventId | undefined> {
    return this.#log.idAt(position);
  }

  healthy(): Promise<boolean> {
    return this.#log.healthy();
  }

  close(): Promise<void> {
    return this.#log.close();
  }

  #storedName(stream: StreamName): StreamName {
    return `${this.#prefix}${stream}` as StreamName;
  }

  #ownName(stored: StreamName): StreamName {
    return stored.slice(this.#prefix.length) as StreamName;
  }

  #storedPrefixes(prefixes: readonly string[] = ['']): string[] {
    return prefixes.map((prefix) => `${this.#prefix}${prefix}`);
  }

  #withoutPrefix(record: RecordedEvent): RecordedEvent {
    // A new object each time: to remember it in a WeakMap takes three times as long as all else here, and EventStoreDB gives
    // no two readers the same record.
    return { ...record, stream: this.#ownName(record.stream) };
  }
}

/** A log that adds a prefix to the names of streams in the store and removes it from what is read. */
export function prefixedLog(log: EventLog, prefix: string): EventLog {
  return prefix === '' ? log : new PrefixedLog(log, prefix);
}
