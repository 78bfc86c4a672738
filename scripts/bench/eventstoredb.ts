import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { pino } from 'pino';
import { openEventStoreDBLog } from '../../services/log/eventstoredb.ts';
import type { EventId, EventLog, StreamName } from '../../services/log/log.ts';
import { compare, message, quantiles } from './comparing.ts';

/** So many events are appended in a second while their delivery is timed. */
const deliveryRate = 1_000;

/** Measures the log on an EventStoreDB beside its bare client, and how soon events are delivered. */
export async function measureEventStoreDB(url: string, seconds: number, rounds: number): Promise<void> {
  const log = openEventStoreDBLog({ url, logger: pino({ level: 'silent' }) });
  const client = EventStoreDBClient.connectionString(url);
  console.log('EventStoreDB, beside its bare client');
  await compare(
    (stream, event) => log.append(stream, 'any', [event]),
    (stream, { id, type, data, metadata }) =>
      client.appendToStream(stream, jsonEvent({ id, type, data, metadata }), { expectedRevision: 'any' }),
    seconds,
    rounds,
  );
  const { p50, p99 } = quantiles(await deliver(log, seconds));
  const figures = `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`;
  console.log(`from append to delivery at ${deliveryRate} events/s: ${figures}`);
  await log.close();
  await client.dispose();
}

/** How long each event took from the call of `append` to a subscription, in milliseconds. */
async function deliver(log: EventLog, seconds: number): Promise<number[]> {
  const begun = new Map<EventId, number>();
  const latencies: number[] = [];
  const done = new AbortController();
  const wanted = deliveryRate * seconds;
  const following = (async () => {
    for await (const batch of log.subscribe({ after: await log.end(), signal: done.signal })) {
      const now = performance.now();
      for (const { id } of batch) {
        const start = begun.get(id);
        if (start !== undefined) latencies.push(now - start);
      }
      if (latencies.length >= wanted) done.abort();
    }
  })();
  const appends: Promise<unknown>[] = [];
  const start = performance.now();
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(wanted, ((performance.now() - start) / 1_000) * deliveryRate);
      while (appends.length < due) {
        const event = message(appends.length);
        begun.set(event.id, performance.now());
        appends.push(log.append(`conversation-f${appends.length % 50}-0` as StreamName, 'any', [event]));
      }
      if (appends.length < wanted) return;
      clearInterval(timer);
      resolve();
    }, 1);
  });
  await Promise.all(appends);
  await following;
  return latencies;
}
