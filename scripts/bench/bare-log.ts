import pg from 'pg';
import type { NewEvent, StreamName } from '../../services/log/log.ts';

/**
 * The least that a durable group commit can do: one connection, one insert by `unnest` a batch, a
 * table with a key and nothing else. It checks nothing, numbers no stream and tells nobody; it is
 * what the log's own figures are held against.
 */
export async function openBareLog(url: string): Promise<{
  append(stream: StreamName, event: NewEvent): Promise<void>;
  close(): Promise<void>;
}> {
  const client = new pg.Client({ connectionString: url });
  // What is under way fails by itself.
  client.on('error', () => {});
  await client.connect();
  await client.query(
    'create table bare (position bigserial primary key, stream text, id uuid, type text, data text, metadata text)',
  );
  let waiting: {
    stream: StreamName;
    event: NewEvent;
    resolve: () => void;
    reject: (error: unknown) => void;
  }[] = [];
  let busy = false;

  async function flush(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        await client.query({
          name: 'bare insert',
          text: `insert into bare (stream, id, type, data, metadata)
            select * from unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[])`,
          values: [
            batch.map(({ stream }) => stream),
            batch.map(({ event }) => event.id),
            batch.map(({ event }) => event.type),
            batch.map(({ event }) => JSON.stringify(event.data)),
            batch.map(({ event }) => JSON.stringify(event.metadata)),
          ],
        });
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
      // As in the log: who was answered may join the next batch.
      await new Promise(setImmediate);
    }
    busy = false;
  }

  return {
    append: (stream, event) =>
      new Promise((resolve, reject) => {
        waiting.push({ stream, event, resolve, reject });
        if (!busy) {
          busy = true;
          setImmediate(() => void flush());
        }
      }),
    close: () => client.end(),
  };
}
