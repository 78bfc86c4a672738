import { chmod } from 'node:fs/promises';
import { makeFolder, privateMode } from '../make-folder.ts';

/** The mode of a file that holds what people uploaded: other users of the machine must not read it. */
export const privateFile = 0o600;

/** Makes a folder that only this user may enter, and closes one that an earlier version left open to others. */
export async function openPrivateFolder(folder: string): Promise<void> {
  await makeFolder(folder);
  await chmod(folder, privateMode);
}
