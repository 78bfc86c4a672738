import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import type { TestProject } from 'vitest/node';
import { migrate } from '../../projections/migrate.ts';
import { startEmbeddedPostgres } from '../../services/postgres/embedded/embedded.ts';
import { withDatabase } from './database-url.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Connects as one who may create databases. */
    databaseServer: string;
    /** The name of a migrated database, to be copied. */
    templateDatabase: string;
    /** Where the first test that needs it puts a data folder, to be copied. */
    preparedFolder: string;
  }
}

interface DatabaseServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** One Postgres for the whole run: the given one, one in Docker, or the embedded one. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = given() ?? (await inDocker()) ?? (await embedded());
  const template = `template_${randomBytes(8).toString('hex')}`;
  try {
    await query(server.url, `create database ${template}`);
    await migrate(withDatabase(server.url, template));
  } catch (error) {
    await server.stop();
    throw error;
  }
  project.provide('databaseServer', server.url);
  project.provide('templateDatabase', template);
  const folder = await mkdtemp(join(tmpdir(), 'bubble-im-run-'));
  project.provide('preparedFolder', join(folder, 'prepared'));
  return async () => {
    await rm(folder, { recursive: true, force: true });
    await query(server.url, `drop database ${template} with (force)`);
    await server.stop();
  };
}

function given(): DatabaseServer | undefined {
  const url = process.env.TEST_DATABASE_URL || process.env.DATABASE_URL;
  return url ? { url, stop: async () => {} } : undefined;
}

/** Docker is looked for by its socket's answer, which is quick if there is none. */
async function inDocker(): Promise<DatabaseServer | undefined> {
  const { getContainerRuntimeClient } = await import('testcontainers');
  const answers = await getContainerRuntimeClient().then(
    () => true,
    () => false,
  );
  if (!answers) return undefined;
  const { PostgreSqlContainer } = await import('@testcontainers/postgresql');
  const container = await new PostgreSqlContainer('postgres:18')
    .withCommand(['postgres', '-c', 'fsync=off', '-c', 'max_connections=300'])
    .start();
  return {
    url: container.getConnectionUri(),
    stop: async () => {
      await container.stop();
    },
  };
}

async function embedded(): Promise<DatabaseServer> {
  const folder = await mkdtemp(join(tmpdir(), 'bubble-im-test-'));
  // Safe enough for data that nobody wants after the run.
  const settings = { fsync: 'off', full_page_writes: 'off', max_connections: '300' };
  const server = await startEmbeddedPostgres({ folder, logger: pino({ level: 'silent' }), settings });
  return {
    url: server.superuserUrl,
    stop: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function query(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}
