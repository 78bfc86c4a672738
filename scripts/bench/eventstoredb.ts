import { once } from 'node:events';
import {
  type AllStreamRecordedEvent,
  BACKWARDS,
  END,
  EventStoreDBClient,
  jsonEvent,
  START,
} from '@eventstore/db-client';
import { pino } from 'pino';
import { openEventStoreDBLog } from '../../services/log/eventstoredb/eventstoredb-log.ts';
import { type AppendOne, compare } from './comparing.ts';
import {
  type Delivery,
  reportDelivery,
  toLogSubscription,
  toReadModels,
  toSubscription,
} from './delivery.ts';

/** Measures the log on an EventStoreDB beside its bare client, and how soon events arrive. */
export async function measureEventStoreDB(
  url: string,
  database: string,
  seconds: number,
  rounds: number,
): Promise<void> {
  const log = openEventStoreDBLog({ url, logger: pino({ level: 'silent' }) });
  const client = EventStoreDBClient.connectionString(url);
  const append: AppendOne = (stream, { id, type, data, metadata }) =>
    client.appendToStream(stream, jsonEvent({ id, type, data, metadata }), { expectedRevision: 'any' });
  console.log('EventStoreDB, beside its bare client');
  await compare((stream, event) => log.append(stream, 'any', [event]), append, seconds, rounds);
  const ways = [
    () => toBareSubscription(client, append),
    () => toLogSubscription(log),
    () => toReadModels(log, database),
  ];
  for (let round = 0; round < rounds; round++) {
    for (const open of ways) {
      const way = await open();
      await reportDelivery(way, seconds);
      await way.stop();
    }
  }
  await log.close();
  await client.dispose();
}

async function toBareSubscription(client: EventStoreDBClient, append: AppendOne): Promise<Delivery> {
  let last: AllStreamRecordedEvent['position'] | typeof START = START;
  for await (const { event } of client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1 })) {
    if (event) last = event.position;
  }
  return toSubscription('a subscription of the bare client', append, async (onEvent, signal) => {
    while (!signal.aborted) {
      const subscription = client.subscribeToAll({ fromPosition: last });
      const stop = () => void subscription.unsubscribe();
      signal.addEventListener('abort', stop, { once: true });
      subscription.on('data', ({ event }) => {
        if (!event) return;
        last = event.position;
        onEvent(event.id);
      });
      // The server drops a subscriber that is slow for a moment: it continues from its last event.
      await Promise.race(['close', 'end'].map((ended) => once(subscription, ended))).catch(() => undefined);
      signal.removeEventListener('abort', stop);
    }
  });
}
