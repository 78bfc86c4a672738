import pg from 'pg';
import type { NewEvent, StreamName } from '../../services/log/log.ts';

/**
 * The least that a durable group commit into such a table can do: one connection, one insert by
 * `unnest` a batch, the columns and keys of log.events. It looks nothing up, takes no lock, numbers
 * by counters of its own and notifies nobody; the log's own figures are compared with it.
 */
export async function openBareLog(url: string): Promise<{
  append(stream: StreamName, event: NewEvent): Promise<void>;
  close(): Promise<void>;
}> {
  const client = new pg.Client({ connectionString: url });
  // What is under way fails by itself.
  client.on('error', () => {});
  await client.connect();
  await client.query('create table bare (like log.events including all)');
  let position = 0;
  const revisions = new Map<StreamName, number>();
  const nextRevision = (stream: StreamName) => {
    const revision = (revisions.get(stream) ?? -1) + 1;
    revisions.set(stream, revision);
    return revision;
  };
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
          text: `insert into bare
            select u.*, now() from unnest(
              $1::bigint[], $2::text[], $3::bigint[], $4::uuid[], $5::text[], $6::text[], $7::text[]
            ) u`,
          values: [
            batch.map(() => ++position),
            batch.map(({ stream }) => stream),
            batch.map(({ stream }) => nextRevision(stream)),
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
