import { Client } from 'pg';
import { pino } from 'pino';
import type { DomainEvent } from '../../contracts/events/index.ts';
import { storedPushes } from '../../contracts/push/index.ts';
import { afterAll } from '../../contracts/push/position.ts';
import type { PushRow } from '../../contracts/push/row.ts';
import { currentSchema, models, tablesOf } from '../../projections/rebuild/sets.ts';
import { type Projector, startProjector } from '../../projections/runner/projector.ts';
import type { Bus } from '../../services/bus/bus.ts';
import { memoryBus } from '../../services/bus/memory.ts';
import { followProgress } from '../../services/bus/progress.ts';
import { streamName } from '../../services/domain/aggregate.ts';
import { streamOfEvent } from '../../services/domain/stream-of-event.ts';
import { encode } from '../../services/log/codec.ts';
import type { EventId, EventLog, Position, RecordedEvent, StreamName } from '../../services/log/log.ts';
import { openPostgresLog } from '../../services/log/postgres/postgres-log.ts';
import { feedsOfSource } from '../../services/pushes/feed-sources.ts';
import { PushStore } from '../../services/pushes/push-store.ts';
import { createDatabase } from './database.ts';
import { wrapLog } from './wrapped-log.ts';

export const silent = pino({ level: 'silent' });

/** When the events of tests happened, unless they say otherwise: in milliseconds since 1970. */
export const testTime = 1_700_000_000_000;

/** A push as its subscriber reads it: channel, event, and the data without their position. */
export interface HeardPush {
  readonly channel: string;
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A log and read models in a database of their own. */
export interface World {
  readonly url: string;
  readonly log: EventLog;
  readonly bus: Bus;
  /** Appends events, each to its stream, one after the other. Answers the last one's position. */
  given(...events: readonly DomainEvent[]): Promise<Position>;
  /** Appends one event, whose id, time and stream the test may give. */
  append(
    event: DomainEvent,
    metadata?: { readonly id?: EventId; readonly time?: number; readonly stream?: string },
  ): Promise<Position>;
  /** Lets a projector take in everything, and stops it. */
  project(log?: EventLog): Promise<void>;
  /** A table's rows in the order of its columns. */
  rows(table: string): Promise<Record<string, unknown>[]>;
  /** Every push after the place, in order. */
  pushes(after?: Position): Promise<HeardPush[]>;
  /** The same, as gateways read them that missed them. */
  pushRows(after?: Position): Promise<readonly PushRow[]>;
  /** All read models and pushes, for comparing. */
  everything(): Promise<Record<string, unknown>>;
  /** Empties the read models and the record of pushes, as they were before the first event. */
  forget(): Promise<void>;
  query<Row>(text: string, values?: unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

/** Why the read models do not follow the log, as the database says it; undefined while they do. */
export async function recordedFault({ query }: Pick<World, 'query'>) {
  const [row] = await query<{ reason: string | null; position: string | null }>(
    `select fault as reason, fault_position as position from followers.checkpoint where name = 'read'`,
  );
  if (!row || row.reason === null) return undefined;
  const { reason, position } = row;
  return position === null ? { reason } : { reason, position };
}

export async function openWorld(): Promise<World> {
  const database = await createDatabase();
  const log = await openPostgresLog({ connectionString: database.url });
  const bus = memoryBus(silent);
  const client = new Client({ connectionString: database.url });
  await client.connect();
  const pushStore = new PushStore(client);
  const query = async <Row>(text: string, values: unknown[] = []): Promise<Row[]> =>
    (await client.query(text, values)).rows;

  const world: World = {
    url: database.url,
    log,
    bus,
    query,
    async given(...events) {
      let position = await log.end();
      for (const event of events) position = await world.append(event);
      return position;
    },
    async append(event, { id = newEventId(), time = testTime, stream = streamOf(event) } = {}) {
      const metadata = { time, actor: 'server', $correlationId: 'test', $causationId: 'test' };
      const result = await log.append(streamName(stream), 'any', [encode(id, event, metadata)]);
      if (result.outcome !== 'appended') throw new Error(`${event.type}: ${result.outcome}`);
      return result.position;
    },
    async project(from = log) {
      const projector = await startProjector({ log: from, database: database.url, bus, logger: silent });
      try {
        await caughtUp(world, projector);
      } finally {
        await projector.stop();
      }
    },
    rows: (table) => query(`select * from read.${table} order by 1, 2`),
    async pushes(after = '' as Position) {
      return (await world.pushRows(after)).map(({ channel, event, data }) => {
        const { position, ...rest } = JSON.parse(data);
        if (typeof position !== 'string') throw new Error(`${event} has no position`);
        const shape = Object.entries(storedPushes).find(([name]) => name === event)?.[1];
        shape?.strict().parse(rest);
        return { channel, event, data: rest };
      });
    },
    async pushRows(after = '' as Position) {
      const stored = await query<{ feed: string }>(
        `select distinct feed.channel as feed from pushes.push p ${feedsOfSource}`,
      );
      const feeds = stored.map(({ feed }) => feed);
      const { rows } = await pushStore.rowsBetween(feeds, { place: after, number: afterAll }, '~', 1e6);
      return rows;
    },
    async everything() {
      const found: Record<string, unknown> = {};
      for (const { name, key } of models) {
        const order = key.map((column) => `"${column}"`).join(', ');
        found[name] = await query(`select * from read.${name} order by ${order}`);
      }
      found.push = await query(
        'select place, number, channel, event, data from pushes.push order by place, number',
      );
      found.checkpoint = await query(`select position, epoch from followers.checkpoint where name = 'read'`);
      return found;
    },
    async forget() {
      await query(`truncate pushes.push, ${tablesOf(currentSchema)}`);
      await query("update followers.checkpoint set position = '' where name = 'read'");
    },
    async close() {
      await client.end();
      await log.close();
      await bus.close();
      await database.drop();
    },
  };
  return world;
}

/**
 * Waits until the read models show all that the log holds by now. Throws if the projector has stopped,
 * unless it is expected to go on by itself.
 */
export async function caughtUp(
  { bus, log, query }: World,
  projector: Projector,
  { despiteFault = false } = {},
): Promise<void> {
  const progress = await followProgress(bus, async () => {
    const [tick] = await query<{ checkpoint: Position; fence: string; batch: string }>(
      `select position as checkpoint, fence, batch from followers.checkpoint where name = 'read'`,
    );
    if (tick === undefined) throw new Error('there is no checkpoint');
    return { ...tick, fence: Number(tick.fence), batch: Number(tick.batch) };
  });
  try {
    const end = await log.end();
    const until = Date.now() + 20_000;
    while (!(await progress.reached(end, 200))) {
      const { fault } = projector.status();
      if (fault && !despiteFault) throw new Error(fault.reason);
      if (Date.now() > until) throw new Error('the projector does not catch up');
    }
  } finally {
    progress.stop();
  }
}

export const newEventId = (): EventId => crypto.randomUUID() as EventId;

/** The stream to which commands append an event. */
export function streamOf(event: DomainEvent): StreamName {
  const stream = streamOfEvent(event);
  if (stream === undefined) throw new TypeError(`nothing appends an event of type ${event.type} by its data`);
  return stream;
}

/** The same log, whose subscriptions give batches of exactly this size at most. */
export function inBatchesOf(size: number, log: EventLog, remembersIds = log.remembersIds): EventLog {
  return wrapLog(log, {
    remembersIds,
    async *subscribe(options) {
      // What is there already is put together first, so that the size counts and not the timing.
      let waiting: RecordedEvent[] = [];
      let { after } = options;
      for await (const record of log.readAll(options)) {
        waiting.push(record);
        after = record.position;
        if (waiting.length < size) continue;
        yield waiting;
        waiting = [];
      }
      if (waiting.length > 0) yield waiting;
      for await (const records of log.subscribe({ ...options, after })) {
        for (let from = 0; from < records.length; from += size) yield records.slice(from, from + size);
      }
    },
  });
}
