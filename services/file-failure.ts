/** A file could not be read or written: the message names it, and the cause says why. */
export class FileFailure extends Error {
  override readonly name = 'FileFailure';
}

/**
 * The result of a step of writing a file. Errors of open files do not name them, as of a disk that is full.
 * @throws FileFailure if the step fails
 */
export async function whileWriting<Result>(file: string, step: Promise<Result>): Promise<Result> {
  try {
    return await step;
  } catch (cause) {
    throw new FileFailure(`cannot write ${file}`, { cause });
  }
}

/**
 * The result of reading a file that an operator names.
 * @throws FileFailure if that fails
 */
export async function whileReading<Result>(file: string, step: Promise<Result>): Promise<Result> {
  try {
    return await step;
  } catch (cause) {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    if (isMissing) throw new FileFailure(`there is no file ${file}`);
    throw new FileFailure(`cannot read ${file}`, { cause });
  }
}
