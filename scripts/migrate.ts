import { pino } from 'pino';
import { migrate } from '../projections/migrate.ts';
import { holdDataFolder } from '../services/data-folder.ts';
import { type Environment, readEnvironment } from '../services/environment.ts';
import { postgresFolder } from '../services/installation.ts';
import { runningEmbeddedUrl, startEmbeddedPostgres } from '../services/postgres/embedded.ts';

/** `npm run migrate`: brings the tables up to date, of DATABASE_URL or of the data folder. */
try {
  const applied = await migrateAsTold(readEnvironment());
  console.log(applied.length === 0 ? 'nothing to do' : applied.map((name) => `applied ${name}`).join('\n'));
} catch (error) {
  console.error(`migrate: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

async function migrateAsTold({ databaseUrl, dataFolder, logLevel }: Environment): Promise<string[]> {
  const url = databaseUrl ?? (await runningEmbeddedUrl(postgresFolder(dataFolder)));
  if (url !== undefined) return migrate(url);
  const folder = await holdDataFolder(dataFolder);
  const logger = pino({ level: logLevel });
  const server = await startEmbeddedPostgres({ folder: postgresFolder(folder.path), logger });
  try {
    return await migrate(server.url);
  } finally {
    await server.stop();
    await folder.release();
  }
}
