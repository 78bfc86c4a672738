import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type LogIdentity, type LogInspection, type LogInspector, newIdentityName } from '../identity.ts';
import type { AppendResult, EventId, ExpectedRevision, NewEvent, Position, StreamName } from '../log.ts';
import type { EventStoreDBConnection } from './connection.ts';
import { storedPositionOf } from './position.ts';
import { logRequest } from './read-request.ts';
import { readWithTimeout } from './read-with-timeout.ts';
import type { StreamReader } from './stream-reader.ts';

/** The data of the two types of events in the identity stream. */
const Founded = z.object({ installation: z.string(), epoch: z.string() });
const EpochBegun = z.object({ epoch: z.string() });

export interface IdentityStreamOptions {
  readonly connection: EventStoreDBConnection;
  readonly reader: StreamReader;
  /** After how long a read that returns nothing fails. */
  readonly readTimeoutMs: number;
  readonly append: (
    stream: StreamName,
    expected: ExpectedRevision,
    events: readonly [NewEvent, ...NewEvent[]],
  ) => Promise<AppendResult>;
  readonly stream: StreamName;
}

/** Stores a log's identity in a stream of its own. Every method throws LogFailure. */
export class IdentityStream implements LogInspector {
  readonly #options: IdentityStreamOptions;

  constructor(options: IdentityStreamOptions) {
    this.#options = options;
  }

  async inspect(position: Position | undefined): Promise<LogInspection> {
    const { identity } = await this.#read();
    return { identity, id: position === undefined ? undefined : await this.idAt(position) };
  }

  async found(identity: LogIdentity): Promise<LogIdentity> {
    const { identity: present } = await this.#read();
    if (present) return present;
    await this.#append('none', 'InstallationFounded', { ...identity });
    return this.#present();
  }

  async beginEpoch(old: string): Promise<LogIdentity> {
    const { identity, revision } = await this.#read();
    if (identity?.epoch === old) await this.#append(revision, 'EpochBegun', { epoch: newIdentityName() });
    return this.#present();
  }

  async idAt(position: Position): Promise<EventId | undefined> {
    const stored = storedPositionOf(position);
    if (stored === undefined) return undefined;
    const { connection, readTimeoutMs } = this.#options;
    // The server answers a read from beyond the end with an error that does not say so, so the end is read first.
    for await (const last of readWithTimeout(connection, logRequest('backwards', 1), readTimeoutMs)) {
      if (last.position < position) return undefined;
    }
    const request = logRequest('forwards', 1, stored);
    for await (const event of readWithTimeout(connection, request, readTimeoutMs)) {
      // EventStoreDB's event ids are UUIDs.
      if (event.position === position) return event.id as EventId;
    }
    return undefined;
  }

  async #present(): Promise<LogIdentity> {
    const { identity } = await this.#read();
    if (identity === undefined) throw new Error(`the stream ${this.#options.stream} contains no identity`);
    return identity;
  }

  async #read(): Promise<{ identity: LogIdentity | undefined; revision: number }> {
    let identity: LogIdentity | undefined;
    let revision = -1;
    for await (const { record } of this.#options.reader.read(this.#options.stream)) {
      revision = record.revision;
      if (record.type === 'InstallationFounded') identity ??= Founded.parse(record.data);
      else if (identity) identity = { ...identity, ...EpochBegun.parse(record.data) };
    }
    return { identity, revision };
  }

  /** The result is not checked: a conflict means that another process appended the same first. */
  async #append(expected: ExpectedRevision, type: string, data: NewEvent['data']): Promise<void> {
    const id = randomUUID() as EventId;
    await this.#options.append(this.#options.stream, expected, [{ id, type, data, metadata: {} }]);
  }
}
