import { once } from 'node:events';
import { type AllStreamRecordedEvent, END, EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { pino } from 'pino';
import { openEventStoreDBLog } from '../../services/log/eventstoredb.ts';
import type { EventLog, StreamName } from '../../services/log/log.ts';
import { type AppendOne, compare, message, quantiles } from './comparing.ts';

/** So many events are appended in a second while their delivery is timed. */
const deliveryRate = 1_000;

/** What is appended to, and how to hear of each event by its id until the signal ends it. */
interface Followed {
  readonly name: string;
  readonly append: AppendOne;
  readonly follow: (hear: (id: string) => void, signal: AbortSignal) => Promise<void>;
}

/** Measures the log on an EventStoreDB beside its bare client, and how soon events are delivered. */
export async function measureEventStoreDB(url: string, seconds: number, rounds: number): Promise<void> {
  const log = openEventStoreDBLog({ url, logger: pino({ level: 'silent' }) });
  const client = EventStoreDBClient.connectionString(url);
  const adapter = throughAdapter(log);
  const bare = throughClient(client);
  console.log('EventStoreDB, beside its bare client');
  await compare(adapter.append, bare.append, seconds, rounds);
  for (let round = 0; round < rounds; round++) {
    for (const followed of [adapter, bare]) {
      const { p50, p99 } = quantiles(await deliver(followed, seconds));
      const figures = `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`;
      console.log(`from append to delivery at ${deliveryRate} events/s, ${followed.name}: ${figures}`);
    }
  }
  await log.close();
  await client.dispose();
}

function throughAdapter(log: EventLog): Followed {
  return {
    name: 'the adapter',
    append: (stream, event) => log.append(stream, 'any', [event]),
    async follow(hear, signal) {
      for await (const batch of log.subscribe({ after: await log.end(), signal })) {
        for (const { id } of batch) hear(id);
      }
    },
  };
}

function throughClient(client: EventStoreDBClient): Followed {
  return {
    name: 'the bare client',
    append: (stream, { id, type, data, metadata }) =>
      client.appendToStream(stream, jsonEvent({ id, type, data, metadata }), { expectedRevision: 'any' }),
    async follow(hear, signal) {
      let last: AllStreamRecordedEvent['position'] | typeof END = END;
      while (!signal.aborted) {
        const subscription = client.subscribeToAll({ fromPosition: last });
        const stop = () => void subscription.unsubscribe();
        signal.addEventListener('abort', stop, { once: true });
        subscription.on('data', ({ event }) => {
          if (!event) return;
          last = event.position;
          hear(event.id);
        });
        // The server drops whoever is slow for a moment: it goes on from where it was.
        await Promise.race(['close', 'end'].map((ended) => once(subscription, ended))).catch(() => undefined);
        signal.removeEventListener('abort', stop);
      }
    },
  };
}

/** How long each event took from the call that appended it until it was heard of, in milliseconds. */
async function deliver({ append, follow }: Followed, seconds: number): Promise<number[]> {
  const begun = new Map<string, number>();
  const latencies: number[] = [];
  const done = new AbortController();
  const wanted = deliveryRate * seconds;
  const following = follow((id) => {
    const start = begun.get(id);
    if (start !== undefined) latencies.push(performance.now() - start);
    if (latencies.length >= wanted) done.abort();
  }, done.signal);
  const appends: Promise<unknown>[] = [];
  const start = performance.now();
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(wanted, ((performance.now() - start) / 1_000) * deliveryRate);
      while (appends.length < due) {
        const event = message(appends.length);
        begun.set(event.id, performance.now());
        appends.push(append(`conversation-f${appends.length % 50}-0` as StreamName, event));
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
