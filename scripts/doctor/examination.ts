import type pg from 'pg';
import { pino } from 'pino';
import { defaultSettings, type Settings } from '../../contracts/settings.ts';
import { holderOf } from '../../services/data-folder.ts';
import type { Environment } from '../../services/environment.ts';
import { reasonOf } from '../../services/error-reason.ts';
import { postgresFolder } from '../../services/installation.ts';
import { runningEmbeddedUrl } from '../../services/postgres/embedded/embedded.ts';
import { createPool } from '../../services/postgres/pool.ts';
import { readSettings } from '../../services/queries/settings.ts';
import { readDatabase } from '../../services/queries/tables.ts';
import { examineBus } from './bus.ts';
import { examineDataFolder, examineEmbedded } from './data-folder.ts';
import { examineDatabase } from './database.ts';
import { examineEventStore } from './event-store.ts';
import { type Examination, examineAll, type Finding, findings } from './finding.ts';
import { examineFonts } from './fonts.ts';
import { examineInstalled } from './installed.ts';
import { examineLog } from './log.ts';
import { examineDisk, examineFileLimit } from './machine.ts';
import { examinePublic, examineTrust } from './proxy.ts';
import { examineMetricsPort, examinePort, findListening } from './running.ts';
import { examineSms, examineUploads, examineWitness } from './services.ts';

/** What needs no variable. */
export const everywhere: readonly (readonly [about: string, examine: Examination])[] = [
  ['packages', examineInstalled],
  ['fonts', examineFonts],
];

/**
 * Examines an installation and the machine, while the program runs or at rest. Nothing is changed or started.
 * @param publicUrl where clients reach it; by default the setting `ws_address` says it
 */
export async function examine(environment: Environment, publicUrl: URL | undefined): Promise<Finding[]> {
  // What the parts of the program would log is in the findings.
  const logger = pino({ level: 'silent' });
  const { eventStoreUrl, dataFolder } = environment;
  const listening = await findListening(environment);
  const located = await locateDatabase(environment);
  const { url } = located;
  const pool = url === undefined ? undefined : createPool(url, logger);
  try {
    const settings = await settingsIn(pool);
    const holder = typeof listening === 'object' ? await holderOf(dataFolder) : undefined;
    const database = await examineAll([['database', () => examineDatabaseAt(environment, located)]]);
    const open = url !== undefined && pool !== undefined && (await answers(pool)) ? { url, pool } : undefined;
    const shown = typeof listening === 'object' ? Object.keys(listening.ready.parts) : [];
    const reached = publicUrl ?? publicUrlOf(settings);
    return await examineAll([
      ['port', () => examinePort(environment, listening)],
      ['port', () => examineMetricsPort(environment.metrics)],
      ['data folder', () => examineDataFolder(environment)],
      ['disk', () => examineDisk(dataFolder, settings.upload_reserve_mb)],
      ['open files', () => examineFileLimit(holder)],
      ['database', async () => database],
      ['log', async () => (eventStoreUrl === undefined ? [] : examineEventStore(eventStoreUrl))],
      ['log', () => examineLog({ environment, database: open, logger, shown })],
      ['bus', () => examineBus(environment.natsUrl)],
      ['uploads', () => examineUploads(environment, logger)],
      ['SMS', () => examineSms(environment, settings)],
      ['witness', () => examineWitness(environment)],
      ['proxy', async () => examineTrust(environment)],
      [
        'proxy',
        async () =>
          reached === undefined ? [] : examinePublic(reached, environment, settings.upload_file_mb),
      ],
    ]);
  } finally {
    await pool?.end();
  }
}

interface LocatedDatabase {
  /** Undefined if the embedded Postgres is at rest, or cannot be reached. */
  readonly url?: string;
  /** Why it cannot be reached. */
  readonly error?: unknown;
}

async function locateDatabase({ databaseUrl, dataFolder }: Environment): Promise<LocatedDatabase> {
  if (databaseUrl !== undefined) return { url: databaseUrl };
  try {
    const url = await runningEmbeddedUrl(postgresFolder(dataFolder));
    return url === undefined ? {} : { url };
  } catch (error) {
    return { error };
  }
}

async function examineDatabaseAt(
  environment: Environment,
  { url, error }: LocatedDatabase,
): Promise<readonly Finding[]> {
  if (error !== undefined) {
    const remedy = 'look at the log of the program; run the doctor as the user who runs it';
    return [findings('database').fault(`the embedded Postgres cannot be used: ${reasonOf(error)}`, remedy)];
  }
  if (url === undefined) return examineEmbedded(environment);
  return examineDatabase(url, environment.databaseUrl === undefined);
}

async function answers(pool: pg.Pool): Promise<boolean> {
  try {
    // It throws at once if the URL names a file that does not exist.
    await pool.query('select 1');
    return true;
  } catch {
    return false;
  }
}

/** The settings as the read models have them; their defaults if they cannot be read. */
async function settingsIn(pool: pg.Pool | undefined): Promise<Settings> {
  if (pool === undefined) return defaultSettings;
  return readSettings(readDatabase(pool)).catch(() => defaultSettings);
}

/** Where clients reach the program, by the address of the websocket that an operator has set. */
function publicUrlOf({ ws_address: address }: Settings): URL | undefined {
  if (!URL.canParse(address)) return undefined;
  return new URL(address.replace(/^ws/, 'http'));
}
