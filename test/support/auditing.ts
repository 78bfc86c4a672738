import { Client } from 'pg';
import { vi } from 'vitest';
import { categories, type DomainEvent } from '../../contracts/events/index.ts';
import { type Auditor, startAuditor } from '../../services/audit/auditor.ts';
import type { IndexConsumer } from '../../services/audit/index/consumer.ts';
import { AuditSearch } from '../../services/audit/index/search.ts';
import { streamName } from '../../services/domain/aggregate.ts';
import { encode } from '../../services/log/codec.ts';
import type { EventId, EventLog, Json, Position } from '../../services/log/log.ts';
import { openLog } from '../../services/log/open.ts';
import { openPostgresLog } from '../../services/log/postgres/postgres-log.ts';
import { createDatabase } from './database.ts';
import { EventStoreDBDouble } from './eventstoredb-double.ts';
import type { DoubleStore } from './eventstoredb-double-store.ts';
import { newEventId, silent, streamOf, testTime } from './projecting.ts';

/** What the metadata of a test's event say, beside what all have. */
export interface GivenMetadata {
  readonly id?: EventId;
  readonly actor?: string;
  readonly for?: number;
  readonly correlation?: string;
  readonly causation?: string;
}

/** A log, and the index of it in a database. */
export interface AuditedLog {
  readonly url: string;
  /** The variables by which a program finds both. */
  readonly environment: Readonly<Record<string, string>>;
  readonly log: EventLog;
  readonly search: AuditSearch;
  append(event: DomainEvent, given?: GivenMetadata): Promise<Position>;
  /** Appends what no program of today writes. */
  appendRaw(stream: string, type: string, data: Json, metadata?: Json): Promise<Position>;
  startAuditor(options?: {
    readonly log?: EventLog;
    readonly consumers?: readonly IndexConsumer[];
  }): Promise<Auditor>;
  /** Waits until the index reaches to the end of the log. */
  indexed(auditor: Auditor): Promise<void>;
  query<Row>(text: string, values?: unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

/** The logs that every test of the audit runs against. */
export const auditedLogs = [
  ['Postgres', openPostgres],
  ['EventStoreDB (a double)', openEventStoreDB],
] as const;

async function openPostgres(): Promise<AuditedLog> {
  const database = await createDatabase();
  const log = await openPostgresLog({ connectionString: database.url });
  return audited({ DATABASE_URL: database.url }, log, () => database.drop());
}

/** An audited log in a double of EventStoreDB, whose store a test can change. */
export async function openEventStoreDB(): Promise<AuditedLog & { readonly store: DoubleStore }> {
  const database = await createDatabase();
  const double = new EventStoreDBDouble();
  await double.start();
  const log = await openLog({ eventStoreUrl: double.url, streamPrefix: 'chat-' }, '', silent);
  const environment = { DATABASE_URL: database.url, EVENTSTORE_URL: double.url, STREAM_PREFIX: 'chat-' };
  const end = async () => {
    double.kill();
    await database.drop();
  };
  return { ...(await audited(environment, log, end)), store: double.store };
}

/** An audited log in a real EventStoreDB, under a prefix of its own. */
export async function openEventStoreDBAt(
  eventStoreUrl: string,
): Promise<AuditedLog & { readonly streamPrefix: string }> {
  const database = await createDatabase();
  const streamPrefix = `audited${newEventId().slice(-8)}-`;
  const log = await openLog({ eventStoreUrl, streamPrefix }, '', silent);
  const environment = {
    ...{ DATABASE_URL: database.url, EVENTSTORE_URL: eventStoreUrl, STREAM_PREFIX: streamPrefix },
  };
  return { ...(await audited(environment, log, () => database.drop())), streamPrefix };
}

async function audited(
  environment: AuditedLog['environment'] & { readonly DATABASE_URL: string },
  log: EventLog,
  end: () => Promise<void>,
): Promise<AuditedLog> {
  const url = environment.DATABASE_URL;
  const client = new Client({ connectionString: url });
  await client.connect();
  const auditors: Auditor[] = [];
  const query = async <Row>(text: string, values: unknown[] = []): Promise<Row[]> =>
    (await client.query(text, values)).rows;
  return {
    url,
    environment,
    log,
    query,
    search: new AuditSearch(client),
    async append(event, { id = newEventId(), ...given } = {}) {
      const { correlation = 'request', causation = correlation, actor = 'server' } = given;
      const metadata = {
        ...{ time: testTime, actor, $correlationId: correlation, $causationId: causation },
        ...(given.for === undefined ? {} : { for: given.for }),
      };
      return positionOf(await log.append(streamOf(event), 'any', [encode(id, event, metadata)]));
    },
    async appendRaw(stream, type, data, metadata = {}) {
      return positionOf(
        await log.append(streamName(stream), 'any', [{ id: newEventId(), type, data, metadata }]),
      );
    },
    async startAuditor({ log: followed = log, consumers = [] } = {}) {
      const auditor = await startAuditor({ log: followed, database: url, logger: silent, consumers });
      auditors.push(auditor);
      return auditor;
    },
    async indexed(auditor) {
      const end = await log.end(categories);
      await vi.waitUntil(() => auditor.status().checkpoint >= end, { timeout: 15_000, interval: 10 });
    },
    async close() {
      await Promise.all(auditors.map((auditor) => auditor.stop()));
      await client.end();
      await log.close();
      await end();
    },
  };
}

function positionOf(result: Awaited<ReturnType<EventLog['append']>>): Position {
  if (result.outcome === 'conflict') throw new Error('the stream is at another revision');
  return result.position;
}
