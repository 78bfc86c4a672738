import { join, resolve } from 'node:path';
import { readVerifierKey } from '../services/audit/tree/note.ts';
import { UnreadEvents } from '../services/audit/tree/unread-events.ts';
import { givenKeys } from '../services/backup/given-keys.ts';
import { type BackupOptions, makeBackup } from '../services/backup/make-backup.ts';
import { isOfBackup } from '../services/backup/manifest.ts';
import { type VerifyBackupOptions, verifyBackup } from '../services/backup/verify-backup.ts';
import { readEnvironment } from '../services/environment.ts';
import { openFileStore } from '../services/files/open.ts';
import { withAskedLog } from './cli/asked-log.ts';
import { operatorCommand, runCommand } from './cli/command.ts';
import { interruptible } from './cli/interruption.ts';
import { openCommandLogger } from './cli/logger.ts';
import { warnOfMisplacedEvents } from './cli/misplaced-events.ts';
import { mustBeNoFile, mustTake, writingTo } from './cli/output-file.ts';
import { showProgress } from './cli/progress.ts';
import { sayUnread } from './cli/unread-events.ts';
import { withExistingDatabase } from './with-database.ts';

/** `npm run backup`: copies all that an installation cannot make again into a folder. */

interface Options {
  readonly to: string;
  readonly verify?: boolean;
  readonly verifier?: string;
}

const command = operatorCommand({
  name: 'backup',
  description:
    'Backs up the installation that the environment names: its event log, the tables of accounts, its keys and uploads. ' +
    'The program may run meanwhile. A folder that holds a backup already gets what is new. At the end all of it is read ' +
    'and compared with its hashes.',
  examples: [
    ['--to /backup/chat', 'backs up, or goes on with what is in the folder'],
    ['--to /backup/chat --verify', 'only reads the backup in the folder, and compares it with its hashes'],
  ],
  notes:
    'The folder holds what people wrote, hashes of passwords, and the keys. It is for its owner alone: keep copies of it so.',
})
  .requiredOption('--to <folder>', 'the folder of the backup')
  .option('--verify', 'backs up nothing, and needs no installation')
  .option('--verifier <key>', 'with --verify, by whose key the head of the log must be signed: name+id+key')
  .action(async ({ to, verify, verifier: key }: Options) => {
    if (key !== undefined && verify !== true)
      throw new Error('--verifier is by whose key --verify holds the head of the log: leave it out');
    const verifier = key === undefined ? undefined : readVerifierKey(key);
    const signal = interruptible();
    const folder = resolve(to);
    const output = { option: '--to', path: folder };
    if (verify === true) {
      await mustBeNoFile(output);
    } else {
      await mustTake(output, { what: 'a backup', isOf: isOfBackup });
      await writingTo(output, () => backUp(folder, signal));
    }
    await verifyAndPrint(folder, signal, { verifier, tree: verify === true });
  });

async function backUp(folder: string, signal: AbortSignal): Promise<void> {
  const environment = readEnvironment();
  const { dataFolder, auditOrigin } = environment;
  const logger = await openCommandLogger(environment);
  await withExistingDatabase(environment, logger, async (url) => {
    await withAskedLog(
      { command: 'backup', source: environment, databaseUrl: url, logger },
      async ({ log }) => {
        await warnOfMisplacedEvents('backup', log);
        const store = await openFileStore(environment, join(dataFolder, 'files', 'upload'), logger);
        try {
          await backUpAndPrint({ log, database: url, store, dataFolder, auditOrigin, folder }, signal);
        } finally {
          await store.close();
        }
      },
    );
  });
  for (const variables of givenKeys(environment)) {
    console.log(`Not in the backup, since the environment gives it: ${variables}. Keep it as well.`);
  }
}

async function backUpAndPrint(
  parts: Pick<BackupOptions, 'log' | 'database' | 'store' | 'dataFolder' | 'auditOrigin' | 'folder'>,
  signal: AbortSignal,
): Promise<void> {
  const progress = showProgress({ doing: 'copying', unit: 'events and uploads' });
  const unread = new UnreadEvents();
  try {
    const options = { ...parts, unread, onEvents: progress.advance, onUploads: progress.advance, signal };
    const { manifest, newEvents, newUploads } = await makeBackup(options);
    progress.end();
    const { id, moment } = manifest;
    console.log(`${newEvents} events and ${newUploads} uploads were copied now. This is the backup ${id}.`);
    console.log(`It holds all that was acknowledged before ${new Date(moment).toISOString()}.`);
  } finally {
    progress.end();
    sayUnread('backup', unread);
  }
}

async function verifyAndPrint(
  folder: string,
  signal: AbortSignal,
  options: VerifyBackupOptions,
): Promise<void> {
  const progress = showProgress({ doing: 'verifying', unit: 'files' });
  try {
    const { manifest, events, root } = await verifyBackup(folder, progress.advance, signal, options);
    progress.end();
    const rows = manifest.tables.reduce((sum, table) => sum + table.rows, 0);
    const { uploads, keys, moment } = manifest;
    console.log(
      `Verified: ${events} events with the root ${root}, ${rows} rows of accounts, ${uploads.count} uploads, ` +
        `${keys.length} keys, as of ${new Date(moment).toISOString()}.`,
    );
  } finally {
    progress.end();
  }
}

await runCommand(command);
