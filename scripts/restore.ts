import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import { readVerifierKey } from '../services/audit/tree/note.ts';
import { lackingKeys } from '../services/backup/given-keys.ts';
import { restoreBackup } from '../services/backup/restore-backup.ts';
import { type VerifiedBackup, verifyBackup } from '../services/backup/verify-backup.ts';
import { lockDataFolder } from '../services/data-folder.ts';
import { type Environment, readEnvironment } from '../services/environment.ts';
import { openFileStore } from '../services/files/open.ts';
import { postgresFolder } from '../services/installation.ts';
import type { EventLog } from '../services/log/log.ts';
import { openLog } from '../services/log/open.ts';
import { startEmbeddedPostgres } from '../services/postgres/embedded/embedded.ts';
import { createPool } from '../services/postgres/pool.ts';
import { operatorCommand, runCommand } from './cli/command.ts';
import { interruptible } from './cli/interruption.ts';
import { openCommandLogger } from './cli/logger.ts';
import { showProgress } from './cli/progress.ts';

/** `npm run restore`: makes an installation of a backup, of any size. */

interface Options {
  readonly from: string;
  readonly verifier?: string;
}

const command = operatorCommand({
  name: 'restore',
  description:
    'Restores a backup into the empty installation that the environment names (DATABASE_URL or DATA_DIR, EVENTSTORE_URL, ' +
    'S3_BUCKET), whatever the backup was made of. The whole backup is read and compared with its hashes before anything ' +
    'is written. Nothing else may run on the installation. If it is interrupted, run it again: it goes on.',
  examples: [
    ['--from /backup/chat', 'restores into DATA_DIR, or into the servers that the environment names'],
  ],
  notes: 'The program makes the read models when it starts; all is there once /ready shows lag_ms 0.',
})
  .requiredOption('--from <folder>', 'the folder of the backup')
  .option('--verifier <key>', 'by whose key the head of its log must be signed: name+id+key')
  .action(async ({ from, verifier }: Options) => {
    const signal = interruptible();
    const folder = resolve(from);
    const verified = await verify(folder, verifier, signal);
    const environment = readEnvironment();
    const logger = await openCommandLogger(environment);
    const dataFolder = await lockDataFolder(environment.dataFolder);
    try {
      await withTargetDatabase(environment, logger, (url) =>
        restoreAndPrint({ environment, folder, verified, url, logger, signal }),
      );
    } finally {
      await dataFolder.release();
    }
  });

async function verify(
  folder: string,
  verifierKey: string | undefined,
  signal: AbortSignal,
): Promise<VerifiedBackup> {
  const verifier = verifierKey === undefined ? undefined : readVerifierKey(verifierKey);
  const progress = showProgress({ doing: 'verifying', unit: 'files' });
  try {
    return await verifyBackup(folder, progress.advance, signal, { verifier, tree: true });
  } finally {
    progress.end();
  }
}

async function withTargetDatabase(
  { databaseUrl, dataFolder }: Environment,
  logger: Logger,
  use: (url: string) => Promise<void>,
): Promise<void> {
  if (databaseUrl !== undefined) return use(databaseUrl);
  const server = await startEmbeddedPostgres({ folder: postgresFolder(dataFolder), logger });
  try {
    await use(server.url);
  } finally {
    await server.stop();
  }
}

async function restoreAndPrint(options: {
  readonly environment: Environment;
  readonly folder: string;
  readonly verified: VerifiedBackup;
  readonly url: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { environment, folder, verified, url, logger, signal } = options;
  const { dataFolder, eventStoreUrl } = environment;
  const unit = 'events and uploads';
  const total = verified.events + verified.manifest.uploads.count;
  const progress = showProgress({ doing: 'restoring', unit, total });
  const pool = createPool(url, logger);
  const store = await openFileStore(environment, join(dataFolder, 'files', 'upload'), logger);
  let log: EventLog | undefined;
  try {
    const { eventsBefore } = await restoreBackup({
      ...{ folder, verified, pool, store, dataFolder, signal, databaseUrl: url },
      ...{ onEvents: progress.advance, onUploads: progress.advance },
      inEventStore: eventStoreUrl !== undefined,
      openLog: async () => {
        log = await openLog(environment, url, logger);
        return log;
      },
    });
    progress.end();
    const before = eventsBefore === 0 ? '' : `, ${eventsBefore} of which were there from a run before`;
    console.log(`${verified.events} events were restored${before}, with the root ${verified.root}.`);
    for (const text of lackingKeys(verified.manifest, environment)) console.log(text);
    console.log('Start the program: it makes the read models, and clients load afresh.');
  } finally {
    progress.end();
    await log?.close();
    await store.close();
    await pool.end();
  }
}

await runCommand(command);
