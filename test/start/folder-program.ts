import { lockDataFolder } from '../../services/data-folder.ts';

/** Locks the folder given, prints that, and keeps the lock until it is ended. */
try {
  await lockDataFolder(String(process.argv[2]), Number(process.argv[3]));
  process.stdout.write('held\n');
  setInterval(() => {}, 60_000);
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.message : error}\n`);
}
