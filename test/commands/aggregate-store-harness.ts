import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type { DomainEvent } from '../../contracts/events/index.ts';
import { AggregateStore } from '../../services/commands/aggregate-store.ts';
import { encode } from '../../services/log/codec.ts';
import type { AppendResult, EventLog, NewEvent } from '../../services/log/log.ts';
import { openPostgresLog } from '../../services/log/postgres/postgres-log.ts';
import { skipStream } from '../../services/log/skips.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { gid, mid, uid } from '../support/events.ts';
import { newEventId, streamOf } from '../support/projecting.ts';
import { wrapLog } from '../support/wrapped-log.ts';

/** Opens a log twice, as two processes would, and an aggregate store on the first for each test of a file. */
export function useAggregateStore() {
  let database: TestDatabase;
  let log: EventLog;
  let elsewhere: EventLog;
  let store: AggregateStore;
  let failures: unknown[];
  let readings: number;

  beforeAll(async () => {
    database = await createDatabase();
    const connectionString = database.url;
    [log, elsewhere] = await Promise.all([
      openPostgresLog({ connectionString }),
      openPostgresLog({ connectionString }),
    ]);
  });

  afterAll(async () => {
    await Promise.all([log.close(), elsewhere.close()]);
    await database.drop();
  });

  beforeEach(async () => {
    failures = [];
    readings = 0;
    store = await open(log);
  });

  afterEach(() => store.stop());

  /** Opens another store, on a log whose reads are counted. */
  async function open(on: EventLog, maxWeight?: number, reported = failures): Promise<AggregateStore> {
    const opened = new AggregateStore(counting(on), (error) => reported.push(error), { maxWeight });
    await opened.start();
    return opened;
  }

  /** The log, with the reads of streams counted in `readings`. */
  function counting(counted: EventLog): EventLog {
    return wrapLog(counted, {
      readStream: (stream, options) => {
        if (stream !== skipStream) readings++;
        return counted.readStream(stream, options);
      },
    });
  }

  return {
    open,
    counting,
    get url() {
      return database.url;
    },
    get log() {
      return log;
    },
    get elsewhere() {
      return elsewhere;
    },
    get store() {
      return store;
    },
    /** What the store has reported. */
    get failures() {
      return failures;
    },
    /** How many streams were read. */
    get readings() {
      return readings;
    },
  };
}

export function encoded(event: DomainEvent): NewEvent {
  const metadata = { time: 0, actor: 'server', $correlationId: 'test', $causationId: 'test' };
  return encode(newEventId(), event, metadata);
}

export function append(on: EventLog, event: DomainEvent): Promise<AppendResult> {
  return on.append(streamOf(event), 'any', [encoded(event)]);
}

let lastId = 100;
export const freshUid = () => uid(++lastId);
export const freshGid = () => gid(++lastId);
export const freshNoticeMid = () => mid(++lastId);

export function named(who: number, nickname: string): DomainEvent {
  return { type: 'ProfileChanged', data: { uid: uid(who), nickname } };
}

export function joined(group: number, who: number): DomainEvent {
  return { type: 'MemberJoined', data: { gid: gid(group), uid: uid(who), noticeMid: freshNoticeMid() } };
}
