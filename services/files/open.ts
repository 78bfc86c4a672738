import type { Logger } from 'pino';
import type { Environment } from '../environment.ts';
import { openBucket } from './bucket.ts';
import type { FileStore } from './file-store.ts';
import { openLocalFolder } from './local-folder.ts';

/**
 * Opens the store of uploads that the environment names: a bucket of S3, else a folder.
 * @throws what `openBucket` and the disk throw
 */
export async function openFileStore(
  { bucket }: Pick<Environment, 'bucket'>,
  folder: string,
  logger: Logger,
): Promise<FileStore> {
  return bucket === undefined ? openLocalFolder(folder) : openBucket(bucket, logger);
}
