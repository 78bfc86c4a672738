import { join } from 'node:path';
import type { Logger } from 'pino';
import { migrate } from '../projections/migrate.ts';
import { type AppKeys, loadAppKeys } from './app-keys/app-keys.ts';
import { mustNotBeHalfRestored } from './backup/restore-mark.ts';
import { lockDataFolder } from './data-folder.ts';
import type { Program } from './lifecycle.ts';
import { openClient } from './postgres/connect.ts';
import { startEmbeddedPostgres } from './postgres/embedded/embedded.ts';
import { mustKeepSessions } from './postgres/session-check.ts';

/** What the parts of a program in one process are started with. */
export interface Installation {
  /** A migrated database. Holds a password: never log it. */
  readonly databaseUrl: string;
  readonly appKeys: AppKeys;
  /** The folder for files, locked by this process. */
  readonly dataFolder: string;
}

/**
 * Locks the data folder, reads or creates the server's key, starts the embedded Postgres unless DATABASE_URL
 * is given, and applies the migrations.
 * @throws Error with a message for the operator
 */
export async function openInstallation(program: Program): Promise<Installation> {
  const { environment, logger } = program;
  const { path } = await program.start(
    'data folder',
    () => lockDataFolder(environment.dataFolder),
    (folder) => ({ stop: () => folder.release() }),
  );
  const appKeys = await loadAppKeys(path, environment.appKeys);
  const databaseUrl = environment.databaseUrl ?? (await startDatabase(path, program));
  await prepareDatabase(databaseUrl, logger, environment.databaseUrl === undefined);
  return { databaseUrl, appKeys, dataFolder: path };
}

/**
 * Brings the tables of a database up to date.
 * @param embedded whether it is the server that comes with the program, for the error
 * @throws Error with a message for the operator
 */
export async function prepareDatabase(url: string, logger: Logger, embedded = false): Promise<void> {
  try {
    await mustKeepSessions(url);
    await mustBeWhole(url);
    const applied = await migrate(url);
    if (applied.length > 0) logger.info({ applied }, 'the tables were brought up to date');
  } catch (cause) {
    const whose = embedded ? 'the embedded database' : 'the database of DATABASE_URL';
    throw new Error(`${whose} cannot be used`, { cause });
  }
}

/** @throws Error if a restore into the database was interrupted */
async function mustBeWhole(url: string): Promise<void> {
  const client = await openClient(url, { name: 'bubble-im start', statementTimeoutMs: 5_000 });
  try {
    await mustNotBeHalfRestored(client);
  } finally {
    await client.end();
  }
}

async function startDatabase(path: string, { start, logger }: Program): Promise<string> {
  const postgres = await start(
    'postgres',
    () => startEmbeddedPostgres({ folder: postgresFolder(path), logger }),
    (server) => ({ stop: () => server.stop(), abandon: () => server.abandon() }),
  );
  return postgres.url;
}

/** The folder of the embedded Postgres in the data folder. */
export function postgresFolder(dataFolder: string): string {
  return join(dataFolder, 'postgres');
}
