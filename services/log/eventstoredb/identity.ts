import { randomUUID } from 'node:crypto';
import { BACKWARDS, END, FORWARDS } from '@eventstore/db-client';
import { z } from 'zod';
import { type LogIdentity, type LogLook, type LogSight, newIdentityName } from '../identity.ts';
import type { AppendResult, EventId, ExpectedRevision, NewEvent, Position, StreamName } from '../log.ts';
import type { EventStoreDBConnection } from './connection.ts';
import { positionOf, storedPositionOf } from './position.ts';
import { readPatiently } from './reading.ts';
import type { StoredStreams } from './streams.ts';

/** The facts of the stream that says which installation's log this is, and in which epoch. */
const Founded = z.object({ installation: z.string(), epoch: z.string() });
const EpochBegun = z.object({ epoch: z.string() });

export interface IdentityStreamOptions {
  readonly connection: EventStoreDBConnection;
  readonly streams: StoredStreams;
  /** A read that gives nothing for so many milliseconds fails. */
  readonly milliseconds: number;
  readonly append: (
    stream: StreamName,
    expected: ExpectedRevision,
    events: readonly [NewEvent, ...NewEvent[]],
  ) => Promise<AppendResult>;
  readonly stream: StreamName;
}

/** Keeps a log's identity in a stream of its own. Everything throws LogFailure. */
export class IdentityStream implements LogSight {
  readonly #options: IdentityStreamOptions;

  constructor(options: IdentityStreamOptions) {
    this.#options = options;
  }

  async look(position: Position | undefined): Promise<LogLook> {
    const { identity } = await this.#read();
    return { identity, id: position === undefined ? undefined : await this.idAt(position) };
  }

  async found(identity: LogIdentity): Promise<LogIdentity> {
    const { identity: present } = await this.#read();
    if (present) return present;
    await this.#record('none', 'InstallationFounded', { ...identity });
    return this.#present();
  }

  async beginEpoch(old: string): Promise<LogIdentity> {
    const { identity, revision } = await this.#read();
    if (identity?.epoch === old) await this.#record(revision, 'EpochBegun', { epoch: newIdentityName() });
    return this.#present();
  }

  async idAt(position: Position): Promise<EventId | undefined> {
    const stored = storedPositionOf(position);
    if (stored === undefined) return undefined;
    const { connection, milliseconds } = this.#options;
    // What lies beyond the end is not asked for: the server answers that with an error of no meaning.
    const end = connection.readAll({
      direction: BACKWARDS,
      fromPosition: END,
      maxCount: 1,
      requiresLeader: true,
    });
    for await (const { event } of readPatiently(end, milliseconds)) {
      if (!event?.position || positionOf(event.position) < position) return undefined;
    }
    const read = connection.readAll({
      direction: FORWARDS,
      fromPosition: stored,
      maxCount: 1,
      requiresLeader: true,
    });
    for await (const { event } of readPatiently(read, milliseconds)) {
      // What an EventStoreDB gives as an id is a UUID.
      if (event?.position && positionOf(event.position) === position) return event.id as EventId;
    }
    return undefined;
  }

  async #present(): Promise<LogIdentity> {
    const { identity } = await this.#read();
    if (identity === undefined) throw new Error(`${this.#options.stream} does not say whose log this is`);
    return identity;
  }

  async #read(): Promise<{ identity: LogIdentity | undefined; revision: number }> {
    let identity: LogIdentity | undefined;
    let revision = -1;
    for await (const { record } of this.#options.streams.read(this.#options.stream)) {
      revision = record.revision;
      if (record.type === 'InstallationFounded') identity ??= Founded.parse(record.data);
      else if (identity) identity = { ...identity, ...EpochBegun.parse(record.data) };
    }
    return { identity, revision };
  }

  /** A conflict means that another process was first, which is as good. */
  async #record(expected: ExpectedRevision, type: string, data: NewEvent['data']): Promise<void> {
    const id = randomUUID() as EventId;
    await this.#options.append(this.#options.stream, expected, [{ id, type, data, metadata: {} }]);
  }
}
