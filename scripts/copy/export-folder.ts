import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { eventFileName, filesIn, wholeLines } from '../../services/audit/copy/folder-copy.ts';
import { placesIn } from '../../services/backup/manifest.ts';
import { reasonOf } from '../../services/error-reason.ts';

/** @throws Error that names the option, if its path is no folder that `npm run export` wrote events into */
export async function mustHoldExport(option: string, folder: string): Promise<void> {
  const wrong = await whatIsWrong(folder).catch((error: unknown) => `cannot be read: ${reasonOf(error)}`);
  if (wrong !== undefined) throw new Error(`${option} ${folder} ${wrong}`);
}

async function whatIsWrong(folder: string): Promise<string | undefined> {
  const found = await stat(folder).catch(() => undefined);
  if (found === undefined) return 'is not there';
  if (!found.isDirectory()) return 'is no folder';
  const [first] = await filesIn(folder);
  if (first === undefined) {
    const { manifest } = placesIn(folder);
    return (await stat(manifest).catch(() => undefined))
      ? 'is a backup: npm run restore takes it'
      : `holds no export: it has no ${eventFileName(0)}`;
  }
  for await (const _ of wholeLines(join(folder, first))) return undefined;
  return `holds no export: ${first} has no whole line`;
}
