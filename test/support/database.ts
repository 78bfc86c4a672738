import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { inject } from 'vitest';
import { withDatabase } from './database-url.ts';

/** A database of a test's own. */
export interface TestDatabase {
  readonly url: string;
  /**
   * Removes it.
   * @throws Error if a connection to it is still open
   */
  drop(): Promise<void>;
}

/** How long the server may take to notice closed connections. */
const closeTimeoutMs = 2_000;

/** A new database with all migrations applied: a copy of the run's template, which takes 30 ms. */
export async function createDatabase(): Promise<TestDatabase> {
  return copyOf(inject('templateDatabase'));
}

/** A new empty database. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  return copyOf('template0');
}

/** A connection string of a database on the run's server. */
export function databaseUrl(name: string): string {
  return withDatabase(inject('databaseServer'), name);
}

async function copyOf(template: string): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  await onServer((server) => server.query(`create database ${name} template ${template}`));
  return { url: databaseUrl(name), drop: () => dropDatabase(name) };
}

async function dropDatabase(name: string): Promise<void> {
  await onServer(async (server) => {
    const until = performance.now() + closeTimeoutMs;
    let open = await connectionsTo(server, name);
    while (open.length > 0 && performance.now() < until) {
      await delay(20);
      open = await connectionsTo(server, name);
    }
    await server.query(`drop database ${name} with (force)`);
    if (open.length > 0) {
      throw new Error(
        `${open.length} connections to ${name} were left open; their last: ${open.join(' | ')}`,
      );
    }
  });
}

async function connectionsTo(server: pg.Client, name: string): Promise<string[]> {
  const { rows } = await server.query<{ query: string }>(
    "select query from pg_stat_activity where datname = $1 and backend_type = 'client backend'",
    [name],
  );
  return rows.map(({ query }) => query);
}

async function onServer<Result>(work: (server: pg.Client) => Promise<Result>): Promise<Result> {
  const server = new pg.Client({ connectionString: inject('databaseServer') });
  await server.connect();
  try {
    return await work(server);
  } finally {
    await server.end();
  }
}
