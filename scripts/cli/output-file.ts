import { stat } from 'node:fs/promises';
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
