import { readdir, stat } from 'node:fs/promises';
import { isOfLock } from '../../services/data-folder.ts';
import { reasonOf } from '../../services/error-reason.ts';
import { FileFailure } from '../../services/file-failure.ts';

/** Where an option says that a command writes to. */
export interface OutputPath {
  /** As `--export`. */
  readonly option: string;
  readonly path: string;
}

/** @throws Error that names the option, if its path is something else than a folder */
export async function mustBeNoFile({ option, path }: OutputPath): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found && !found.isDirectory()) throw new Error(`${option} ${path} is no folder`);
}

/** What a command writes into a folder. */
export interface FolderContent {
  /** As `an export`. */
  readonly what: string;
  /** Whether a name in a folder says that it holds such a content already. */
  readonly isOf: (name: string) => boolean;
}

/**
 * Before anything is written: a folder that is not there, is empty or holds the same content already, so that nothing comes
 * between the files of something else.
 * @throws Error that names the option, if its path is anything else
 */
export async function mustTake(output: OutputPath, { what, isOf }: FolderContent): Promise<void> {
  await mustBeNoFile(output);
  const { option, path } = output;
  // A folder that is not there is made; one that cannot be read is refused when it is written to.
  const names = await readdir(path).catch(() => []);
  const [other] = names.filter((name) => !isOfLock(name) && name !== lostAndFound).sort();
  if (other === undefined || names.some(isOf)) return;
  throw new Error(
    `${option} ${path} holds something else than ${what}, as ${other}: give an empty folder, or one that holds ${what}`,
  );
}

/** What every new file system of Linux has in its root. */
const lostAndFound = 'lost+found';

/** Does what writes to the path of an option. @throws Error that names the option, if a file cannot be written */
export async function writingTo<Result>(
  { option, path }: OutputPath,
  write: () => Promise<Result>,
): Promise<Result> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof FileFailure)) throw error;
    throw new Error(`${option} ${path}: ${reasonOf(error)}`, { cause: error.cause });
  }
}
