import type { LogIdentity } from './identity.ts';
import type {
  AppendResult,
  EventId,
  EventLog,
  ExpectedRevision,
  NewEvent,
  Position,
  ReadAllOptions,
  ReadStreamOptions,
  RecordedEvent,
  StreamName,
  SubscribeOptions,
} from './log.ts';

/** The streams of one installation in a store that holds others' as well: their names begin with its prefix. */
class PrefixedLog implements EventLog {
  readonly #log: EventLog;
  readonly #prefix: string;
  /** One record for one of the store's, so that it is decoded once. */
  readonly #records = new WeakMap<RecordedEvent, RecordedEvent>();

  constructor(log: EventLog, prefix: string) {
    this.#log = log;
    this.#prefix = prefix;
  }

  get remembersIds() {
    return this.#log.remembersIds;
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
    return this.#log.append(this.#stored(stream), expected, events, generation);
  }

  async *readStream(stream: StreamName, options?: ReadStreamOptions): AsyncIterable<RecordedEvent> {
    for await (const record of this.#log.readStream(this.#stored(stream), options)) yield this.#shown(record);
  }

  async *readAll(options: ReadAllOptions = {}): AsyncIterable<RecordedEvent> {
    const prefixes = this.#prefixes(options.prefixes);
    for await (const record of this.#log.readAll({ ...options, prefixes })) yield this.#shown(record);
  }

  subscribe(options: SubscribeOptions): AsyncIterable<readonly RecordedEvent[]> {
    const batches = this.#log.subscribe({ ...options, prefixes: this.#prefixes(options.prefixes) });
    return {
      [Symbol.asyncIterator]: () => {
        const iterator = batches[Symbol.asyncIterator]();
        return {
          next: async () => {
            const { done, value } = await iterator.next();
            if (done) return { done, value: undefined };
            return { done: false, value: value.map((record) => this.#shown(record)) };
          },
          return: async () => {
            await iterator.return?.();
            return { done: true, value: undefined };
          },
        };
      },
    };
  }

  /** An event of somebody else's stream is none of this log's. */
  async at(position: Position): Promise<RecordedEvent | undefined> {
    const record = await this.#log.at(position);
    return record?.stream.startsWith(this.#prefix) ? this.#shown(record) : undefined;
  }

  end(prefixes?: readonly string[]): Promise<Position> {
    return this.#log.end(this.#prefixes(prefixes));
  }

  extent(after: Position, upTo: Position): number {
    return this.#log.extent(after, upTo);
  }

  onChanged(hear: () => void): () => void {
    return this.#log.onChanged(hear);
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

  #stored(stream: StreamName): StreamName {
    return `${this.#prefix}${stream}` as StreamName;
  }

  #prefixes(prefixes: readonly string[] = ['']): string[] {
    return prefixes.map((prefix) => `${this.#prefix}${prefix}`);
  }

  #shown(record: RecordedEvent): RecordedEvent {
    const known = this.#records.get(record);
    if (known) return known;
    const shown = { ...record, stream: record.stream.slice(this.#prefix.length) as StreamName };
    this.#records.set(record, shown);
    return shown;
  }
}

/** A log whose streams have names that begin with a prefix in the store, and nowhere else. */
export function prefixedLog(log: EventLog, prefix: string): EventLog {
  return prefix === '' ? log : new PrefixedLog(log, prefix);
}
