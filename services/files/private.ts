import { chmod } from 'node:fs/promises';
import { makeFolder } from '../make-folder.ts';

/** The mode of a file that holds what people uploaded: other users of the machine must not read it. */
export const privateFile = 0o600;

const privateFolder = 0o700;

/** Makes a folder, and those above it, that only this user may enter. */
export async function makePrivateFolder(folder: string): Promise<void> {
  await makeFolder(folder, privateFolder);
}

/** The same, and closes a folder that an earlier version left open to others. */
export async function openPrivateFolder(folder: string): Promise<void> {
  await makePrivateFolder(folder);
  await chmod(folder, privateFolder);
}
