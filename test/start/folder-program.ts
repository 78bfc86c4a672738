import { lockDataFolder } from '../../services/data-folder.ts';

/** Takes the folder given, tells of it, and keeps it until it is ended. */
try {
  await lockDataFolder(String(process.argv[2]), Number(process.argv[3]));
  process.stdout.write('held\n');
  setInterval(() => {}, 60_000);
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.message : error}\n`);
}
